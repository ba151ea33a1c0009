import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newYorkInstant } from '../../src/trading/new-york-time.ts';
import { folderOfSuite } from '../folders.ts';
import { launchChromium } from '../integration/chromium.ts';
import { fakeCrontab } from '../integration/schedule/fake-crontab.ts';
import { cronCommand, type EntryCommand, systemdCommand } from './entry-command.ts';
import { createWorld, type Finished, type World } from './world.ts';
import { worldClock } from './world-clock.ts';

/** A machine on Lord Howe Island, whose summer time is half an hour: no zone is further from New York's ways. */
const ZONE = 'Australia/Lord_Howe';
const screenshots = fileURLToPath(new URL('../../test-results/screenshots/', import.meta.url));

const folder = folderOfSuite();
const clock = worldClock(join(folder, 'clock'));
const clockEnv = { ...clock.env, TZ: ZONE };
/** The world's time from now on, by New York's wall. */
const setTime = (date: string, wall: string) => clock.set(newYorkInstant(date, wall) + 1000);

let world: World;
const crontab = fakeCrontab(folder);
const reportFile = join(folder, 'report.html');
const entries = {} as Record<'open' | 'close', { readonly id: string; readonly command: EntryCommand }>;

beforeAll(async () => {
  setTime('2026-11-20', '18:00');
  world = await createWorld({
    sandboxArgs: ['--market-hours', 'exchange'],
    env: { ...clockEnv, PATH: crontab.path },
  });
  await world.login();
  writeFileSync(
    join(folder, 'open.yaml'),
    `rules:
  - {name: apple-low, kind: price, symbol: AAPL, below: 180}
  - {name: closures, kind: closure, within: 1d}
`,
  );
  writeFileSync(
    join(folder, 'close.yaml'),
    `rules:
  - {name: microsoft-high, kind: price, symbol: MSFT, above: 500, when: {before_close: 31m}}
  - {name: nvidia-dip, kind: order, symbol: NVDA, below: 100, before: 2026-12-24, order: {side: buy, qty: 10}}
`,
  );
  const add = async (...args: string[]) => {
    const command = ['schedule', 'add', ...args, '--yes', '--output', 'json'];
    const { code, stdout, stderr } = await world.cli(command);
    if (code !== 0) throw new Error(stdout + stderr);
    return JSON.parse(stdout) as {
      schedule: { id: string; next: { exchange: string; local: string }[] };
      written: { file: string }[];
    };
  };
  const open = await add(
    ...['--cron', '35 9 * * 1-5', '--when-open', '--with', 'cron', '--rules', join(folder, 'open.yaml')],
    ...['--report', reportFile],
  );
  expect(open.schedule.next[0]).toEqual({
    exchange: '2026-11-23T09:35:00-05:00',
    local: '2026-11-24T01:35:00+11:00',
  });
  const close = await add(
    ...['--at', 'close-30m', '--with', 'systemd', '--rules', join(folder, 'close.yaml'), '--suggest'],
  );
  expect(close.schedule.next.map(({ exchange }) => exchange)).toEqual([
    '2026-11-23T15:30:00-05:00',
    '2026-11-24T15:30:00-05:00',
    '2026-11-25T15:30:00-05:00',
  ]);
  entries.open = {
    id: open.schedule.id,
    command: cronCommand(crontab.read()?.toString() ?? '', open.schedule.id),
  };
  entries.close = { id: close.schedule.id, command: systemdCommand(close.written[0]?.file ?? '') };
});
afterAll(() => world?.close());

/** Starts what the entry says, in the bare environment that cron or systemd gives, at a moment of the world's time. */
function wake(which: 'open' | 'close', date: string, wall: string): Promise<Finished> {
  setTime(date, wall);
  const { file, args, env } = entries[which].command;
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      env: { ...env, ...clockEnv },
      cwd: '/',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const out = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].on('data', (chunk: Buffer) => {
        out[name] += chunk.toString();
      });
    }
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, ...out }));
  });
}

const silent = { code: 0, stdout: '', stderr: '' };
const rulesOf = ({ stdout }: Finished) => [...stdout.matchAll(/\[([a-z-]+)\]$/gm)].map(([, rule]) => rule);
const logs = async (which: 'open' | 'close') => {
  const { stdout } = await world.cli(['schedule', 'logs', entries[which].id, '--output', 'json']);
  return (JSON.parse(stdout).runs as Record<string, unknown>[]).reverse();
};

describe('Thanksgiving week, by the entries’ own command lines in the environment of cron and systemd', () => {
  it('Monday: runs at its moment, not before it and not after it', async () => {
    await world.setPrice('AAPL', '190');
    await world.setPrice('MSFT', '510');
    await world.setPrice('NVDA', '150');
    expect(await wake('open', '2026-11-23', '09:20')).toEqual(silent);
    expect(await wake('open', '2026-11-23', '09:35')).toEqual(silent);
    expect(await wake('open', '2026-11-23', '09:50')).toEqual(silent);
    expect(await wake('close', '2026-11-23', '15:15')).toEqual(silent);
    const found = await wake('close', '2026-11-23', '15:30');
    expect({ code: found.code, rules: rulesOf(found) }).toEqual({ code: 3, rules: ['microsoft-high'] });
  });

  it('Tuesday: a price falls and its rule fires; the other is clear again', async () => {
    await world.setPrice('AAPL', '170');
    await world.setPrice('MSFT', '400');
    const found = await wake('open', '2026-11-24', '09:35');
    expect({ code: found.code, rules: rulesOf(found) }).toEqual({ code: 3, rules: ['apple-low'] });
    expect(await wake('close', '2026-11-24', '15:30')).toEqual(silent);
  });

  it('Wednesday: what lasts is not told again; the holiday is, and the order whose time has come is asked for and placed', async () => {
    await world.setPrice('AAPL', '175');
    await world.setPrice('MSFT', '510');
    await world.setPrice('NVDA', '90');
    const morning = await wake('open', '2026-11-25', '09:35');
    expect(rulesOf(morning)).toEqual(['closures']);
    expect(morning.stdout).toContain('the market is closed on Nov 26, 2026');
    const woken = wake('close', '2026-11-25', '15:30');
    const [request] = await world.phone.requests('alice', { waitSeconds: 30 });
    // The values of this moment, not those of the rule.
    expect(request?.details).toMatchObject({
      subject: {
        symbol: 'NVDA',
        side: 'buy',
        qty: '10',
        reference_price: expect.stringMatching(/^(89\.9|90\.0)\d$/),
      },
    });
    // The check does not wait for that: nobody may be there for hours.
    const evening = await woken;
    expect(evening.code, evening.stderr).toBe(5);
    expect(rulesOf(evening)).toEqual(['microsoft-high', 'nvidia-dip']);
    expect(await world.book()).toEqual([]);
    await world.phone.decide(request?.id ?? '', 'approve');
    const { outcome } = await world.phone.request(request?.id ?? '', { until: 'outcome', waitSeconds: 10 });
    expect(outcome).toMatchObject({
      state: 'executed',
      text: expect.stringMatching(/filled 10 at \$(89\.9|90\.0)\d/),
    });
  });

  it('Thursday, a holiday: one is skipped, the other has no moment', async () => {
    expect(await wake('open', '2026-11-26', '09:35')).toEqual(silent);
    for (const wall of ['12:30', '15:30']) expect(await wake('close', '2026-11-26', wall)).toEqual(silent);
  });

  it('Friday, a half-day: runs half an hour before 13:00 and not before 16:00, and a rule is armed again', async () => {
    await world.setPrice('AAPL', '190');
    await world.setPrice('MSFT', '400');
    const morning = await wake('open', '2026-11-27', '09:35');
    expect(rulesOf(morning)).toEqual(['closures']);
    expect(morning.stdout).toContain('closes early, at 1:00 PM New York time');
    expect(await wake('close', '2026-11-27', '12:15')).toEqual(silent);
    expect(await wake('close', '2026-11-27', '12:30')).toEqual(silent);
    expect(await wake('close', '2026-11-27', '15:30')).toEqual(silent);
  });

  it('the weekend: nothing', async () => {
    for (const date of ['2026-11-28', '2026-11-29']) expect(await wake('open', date, '09:35')).toEqual(silent);
  });

  it('Monday: the price falls again, and the rule fires again', async () => {
    await world.setPrice('AAPL', '170');
    const found = await wake('open', '2026-11-30', '09:35');
    expect({ code: found.code, rules: rulesOf(found) }).toEqual({ code: 3, rules: ['apple-low'] });
  });

  it('Wednesday, after the machine slept two days: one run for both evenings; the order is not asked for again', async () => {
    await world.setPrice('MSFT', '510');
    const found = await wake('close', '2026-12-02', '15:45');
    // A quarter of an hour late it is still the last half hour.
    expect({ code: found.code, rules: rulesOf(found) }).toEqual({ code: 3, rules: ['microsoft-high'] });
  });

  it('is kept: every moment once, with what became of it', async () => {
    const at = (date: string, wall: string) => new Date(newYorkInstant(date, wall)).toISOString();
    const short = (runs: Record<string, unknown>[]) => runs.map(({ due, status, missed }) => [due, status, missed]);
    expect(short(await logs('open'))).toEqual([
      [at('2026-11-23', '09:35'), 'clear', 0],
      [at('2026-11-24', '09:35'), 'found', 0],
      [at('2026-11-25', '09:35'), 'found', 0],
      [at('2026-11-26', '09:35'), 'market_closed', 0],
      [at('2026-11-27', '09:35'), 'found', 0],
      [at('2026-11-30', '09:35'), 'found', 0],
    ]);
    expect(short(await logs('close'))).toEqual([
      [at('2026-11-23', '15:30'), 'found', 0],
      [at('2026-11-24', '15:30'), 'clear', 0],
      [at('2026-11-25', '15:30'), 'pending', 0],
      [at('2026-11-27', '12:30'), 'clear', 0],
      [at('2026-12-02', '15:30'), 'found', 2],
    ]);
    expect(await world.book()).toMatchObject([{ symbol: 'NVDA', side: 'buy', qty: '10', status: 'filled' }]);
  });
});

describe('the report that a scheduled check wrote', () => {
  let browser: Browser;
  beforeAll(async () => {
    mkdirSync(screenshots, { recursive: true });
    browser = await launchChromium();
  });
  afterAll(() => browser?.close());

  it.each([
    ['desk', 1280, 900, 'light'],
    ['phone', 390, 844, 'dark'],
  ] as const)('fits a %s of %i by %i points', async (name, width, height, colorScheme) => {
    const page = await browser.newPage({ viewport: { width, height }, colorScheme });
    const problems: string[] = [];
    page.on('console', (message) => problems.push(message.text()));
    page.on('pageerror', (error) => problems.push(String(error)));
    page.on('request', (request) => {
      if (!request.url().startsWith('file:')) problems.push(request.url());
    });
    await page.goto(pathToFileURL(reportFile).href);
    expect(await page.getByText('apple-low').first().isVisible()).toBe(true);
    for (const chart of ['value', 'drawdown', 'allocation']) {
      const box = await page.locator(`svg.chart.${chart}`).first().boundingBox();
      expect(box?.width, chart).toBeGreaterThan(200);
      expect((box?.x ?? 0) + (box?.width ?? width), chart).toBeLessThanOrEqual(width);
    }
    const overflow = await page.evaluate('document.documentElement.scrollWidth - window.innerWidth');
    expect(overflow).toBeLessThanOrEqual(0);
    expect(problems).toEqual([]);
    await page.screenshot({ path: join(screenshots, `scheduled-report-${name}.png`), fullPage: true });
    expect(readFileSync(join(screenshots, `scheduled-report-${name}.png`)).length).toBeGreaterThan(5000);
    await page.close();
  });
});
