import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { folderOfSuite } from '../folders.ts';
import { freePort } from '../free-port.ts';
import { launchChromium } from '../integration/chromium.ts';
import { openPhoneBrowser } from '../integration/home/phone-browser.ts';
import { hasTmux, openTerminal } from './tmux.ts';

const folder = folderOfSuite();
const screenshots = join(import.meta.dirname, '../../test-results/screenshots');
mkdirSync(screenshots, { recursive: true });

let browser: Awaited<ReturnType<typeof launchChromium>>;
beforeAll(async () => {
  browser = await launchChromium();
}, 120_000);
afterAll(() => browser?.close());

/** What docs/guide/HOME.md promises a person; here nobody has to read. */
const LIMIT_MS = 180_000;

describe.skipIf(!hasTmux())('practice', () => {
  it('takes four commands and a browser, from an empty folder to a fill that the browser signed', async () => {
    const began = performance.now();
    const address = `http://localhost:${await freePort()}`;
    const env = { PATH: process.env.PATH, HOME: folder, TRADE_AGENT_HOME: join(folder, 'agent'), npm_command: 'exec' };
    const start = (...args: string[]) => openTerminal({ args, env, columns: 110, rows: 50 });

    const init = start('home', 'init', '--address', address);
    await init.turn('Ada Lovelace\n', /Which broker do you use\?\s+1 {2}Practice with simulated money/);
    init.press('Enter');
    const made = await init.ended();
    expect(made).toMatch(/npx trade-agent home serve[\s\S]*npx trade-agent login\s+npx trade-agent run "buy 1 AAPL"/);

    const serving = start('home', 'serve');
    const screen = await serving.shows(/Press Ctrl-C to stop/);
    // No QR code: no phone could open it.
    expect(screen).not.toMatch(/[█▀▄]/);
    expect(screen).toContain('in a browser on this machine');
    const [link = ''] = new RegExp(`${address}/phone/pair#[\\w-]{43}`).exec(screen) ?? [];
    const { page, pair, close } = await openPhoneBrowser(browser);
    await pair(link);

    const login = start('login');
    const [code] = /\b[A-Z0-9]{4}-[A-Z0-9]{4}\b/.exec(await login.shows(/\b[A-Z0-9]{4}-[A-Z0-9]{4}\b/)) ?? [];
    await page.goto(`${address}/device/confirm?user_code=${code}`);
    await page.getByTestId('allow').tap();
    await page.getByTestId('device-done').waitFor();
    expect(await login.ended()).toContain('Signed in as Ada Lovelace');

    const run = start('run', 'buy 1 AAPL');
    await run.shows(/approve/);
    await page.goto(`${address}/phone`);
    await page.getByTestId('request').first().waitFor();
    expect(await page.getByTestId('environment').first().textContent()).toContain('PAPER');
    await page.screenshot({ path: join(screenshots, 'practice-order.png') });
    await page.getByTestId('approve').tap();
    expect(await run.ended()).toMatch(/Bought 1 AAPL at \$/);
    const took = performance.now() - began;
    await page.screenshot({ path: join(screenshots, 'practice-fill.png') });
    process.stdout.write(`practice, from an empty folder to the first signed fill: ${(took / 1000).toFixed(1)} s\n`);
    expect(took).toBeLessThan(LIMIT_MS);
    await close();
  }, 240_000);
});
