import type { Locator, Page } from 'playwright-core';
import { afterAll, expect, it } from 'vitest';
import { findings } from '../axe.ts';
import { launchChromium } from '../chromium.ts';
import { openCliWorld } from '../cli/cli-world.ts';
import { openPhoneBrowser } from '../home/phone-browser.ts';
import { settled } from './web-world.ts';

/** More taps than this from the start of the app, and people look for it in vain. */
const MOST_TAPS = 3;

const [browser, world] = await Promise.all([launchChromium(), openCliWorld()]);
await world.login();
const phone = await openPhoneBrowser(browser);
const { page } = phone;
const link = async () =>
  JSON.parse((await world.run(['phone', 'link', '--user', 'alice', '--output', 'json'])).stdout).url;
await phone.pair(await link());
const table: [task: string, taps: number][] = [];
afterAll(async () => {
  process.stdout.write(`${table.map(([task, taps]) => `${taps}  ${task}`).join('\n')}\n`);
  await browser.close();
  await world.close();
});

/** Counts the taps of a task from the start of the app until its result shows. */
async function task(name: string, steps: (taps: Taps) => Promise<void>, on: Page = page): Promise<void> {
  let count = 0;
  await steps(async (target) => {
    // A control that is cut off or covered can't be tapped.
    await target.tap();
    count += 1;
  });
  table.push([name, count]);
  expect(await findings(on), name).toEqual([]);
  expect(count, name).toBeLessThanOrEqual(MOST_TAPS);
}
type Taps = (target: Locator) => Promise<void>;

async function start(): Promise<void> {
  await page.goto(new URL('/phone', page.url()).href);
  await settled(page);
}
const tab = (name: string) => page.locator('.tabs').getByRole('link', { name });
const card = async (headline: string) => {
  await page.getByTestId('headline').getByText(headline, { exact: true }).waitFor();
  await page.locator('[data-testid=deny]:not([aria-disabled])').waitFor();
};
const propose = (...args: string[]) => world.run([...args, '--approval', 'detach']);

it('sees today’s change', async () => {
  await start();
  await task('see today’s change', async () => {
    const box = await page.getByTestId('today').boundingBox();
    expect((box?.y ?? 0) + (box?.height ?? 0)).toBeLessThan(844);
    expect(await page.getByTestId('today').textContent()).toMatch(/\$[\d,]+\.\d\d .*today/i);
  });
});

it('approves, and denies', async () => {
  await propose('run', 'buy 2 AAPL');
  await start();
  await card('Buy 2 AAPL');
  await task('approve an order', async (tap) => {
    await tap(page.getByTestId('approve'));
    await page.getByTestId('result').first().waitFor();
  });
  await propose('run', 'buy 1 KO');
  await start();
  await card('Buy 1 KO');
  await task('deny an order', async (tap) => {
    await tap(page.getByTestId('deny'));
    await page.locator('[data-testid=result][data-status=denied]').waitFor();
  });
});

it('finds out why an approved order was refused', async () => {
  world.sandbox.faults.set('tampered_details', 1);
  await propose('run', 'buy 3 MSFT limit 300');
  await start();
  await card('Buy 3 MSFT');
  await page.getByTestId('approve').tap();
  await page.getByTestId('result').first().waitFor();
  await start();
  await task('find out why an order was refused', async (tap) => {
    await tap(tab('Activity'));
    const refused = page.locator('[data-testid=entry][data-state=blocked]').first();
    await refused
      .getByTestId('entry-outcome')
      .getByText(/refused: \w+/)
      .waitFor();
  });
});

it('ends a mandate', async () => {
  const until = new Date(Date.now() + 20 * 86_400_000).toISOString().slice(0, 10);
  const terms = ['--per-order', '50', '--total', '100', '--orders', '3', '--every', 'day', '--until', until];
  const adding = world.start(['mandates', 'add', 'KO', ...terms]);
  await world.decide('approve');
  expect((await adding.done).exitCode).toBe(0);
  await start();
  await task('end a mandate', async (tap) => {
    await tap(tab('Settings'));
    await tap(page.getByRole('link', { name: 'Mandates' }));
    await tap(page.getByTestId('revoke'));
    await page.getByTestId('mandate-over').waitFor();
  });
});

it('adds a key', async () => {
  const second = await phone.addAuthenticator();
  // The person touches the new one when it is made, and the old one when it is asked to agree.
  await phone.authenticator.touch(false);
  await page.route('**/add-options', async (route) => {
    await phone.authenticator.touch(true);
    await second.touch(false);
    await route.continue();
  });
  await start();
  await task('add a key', async (tap) => {
    await tap(tab('Settings'));
    await tap(page.getByRole('link', { name: 'Passkeys' }));
    const keys = page.getByTestId('authenticator');
    await keys.first().waitFor();
    const before = await keys.count();
    await tap(page.getByTestId('add'));
    await expect.poll(() => keys.count()).toBe(before + 1);
  });
});

it('sees a receipt: who signed what, with which key', async () => {
  await start();
  await task('see a receipt', async (tap) => {
    await tap(page.getByRole('link', { name: 'Open the full dashboard' }));
    await settled(page);
    const executed = page.locator('[data-testid=proposal][data-state=executed]').filter({ hasText: 'Buy 2 AAPL' });
    await tap(executed.locator('summary').first());
    await executed
      .getByTestId('signed')
      .getByText(/Signed by a .* passkey/)
      .waitFor();
  });
});

it('changes a limit, which the agent’s machine asks for', async () => {
  await world.run(['policy', 'set', 'max_order_notional=500']);
  await propose('policy', 'set', 'max_order_notional=900');
  await start();
  await page.getByTestId('request').waitFor();
  await page.locator('[data-testid=deny]:not([aria-disabled])').waitFor();
  await task('change a limit', async (tap) => {
    await tap(page.getByTestId('approve'));
    await page.getByTestId('result').first().waitFor();
  });
});

it('pairs a second phone by the link that its home’s machine shows', async () => {
  const second = await openPhoneBrowser(browser);
  await second.page.goto(await link());
  await task(
    'pair a second phone',
    async (tap) => {
      await tap(second.page.getByTestId('set-up'));
      await second.page.getByTestId('signed-in-user').waitFor();
      await settled(second.page);
    },
    second.page,
  );
  await second.close();
});

it('halts all trading', async () => {
  await start();
  await task('halt all trading', async (tap) => {
    await tap(page.getByRole('link', { name: 'Halt trading' }));
    await tap(page.getByTestId('halt'));
    await page.getByTestId('halted').waitFor();
  });
  expect(table).toHaveLength(10);
  await phone.close();
});
