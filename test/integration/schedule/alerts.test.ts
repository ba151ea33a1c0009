import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { newYorkInstant } from '../../../src/trading/new-york-time.ts';
import { type CliWorld, openCliWorld } from '../cli/cli-world.ts';
import { type HttpRecorder, openHttpRecorder } from '../notify/http-recorder.ts';
import { type FakeCrontab, fakeCrontab } from './fake-crontab.ts';

let world: CliWorld;
let http: HttpRecorder;
let crontab: FakeCrontab;

/** Everybody's clock here: the exchange's, the agent's, the scheduler's. Timers go on as ever. */
const setTime = (wall: string) => vi.setSystemTime(newYorkInstant('2026-11-25', wall) + 1000);

beforeAll(async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  setTime('10:02');
  world = await openCliWorld({ marketHours: 'exchange' });
  await world.login();
  crontab = fakeCrontab(world.folder);
  http = await openHttpRecorder();
  writeFileSync(
    join(world.folder, 'agent', 'config.yaml'),
    `profiles:\n  sandbox:\n    sandbox: true\n    notices: {push: {kind: ntfy, topic: t, server: "${http.url}"}}\n`,
    { mode: 0o600 },
  );
});
afterAll(async () => {
  vi.useRealTimers();
  await http.close();
  await world.close();
});

const run = (...args: string[]) => world.run(args, { env: { PATH: crontab.path } });
const say = async (prompt: string) => (await run('run', prompt)).stdout;
const rulesFile = () => join(world.folder, 'agent', 'alerts.sandbox.yaml');
async function setPrice(price: string): Promise<void> {
  const { admin_secret } = world.sandbox.seed;
  const answer = await fetch(new URL('/admin/prices/AAPL', world.sandbox.ready.broker), {
    method: 'PUT',
    headers: { authorization: `Bearer ${admin_secret}`, 'content-type': 'application/json' },
    body: JSON.stringify({ price }),
  });
  expect(answer.status).toBeLessThan(300);
}
/** What cron does at that time, and what was told of it. */
async function lookAt(wall: string, price: string): Promise<string[]> {
  setTime(wall);
  await setPrice(price);
  const before = http.requests.length;
  const [{ id }] = JSON.parse((await run('schedule', 'list', '--output', 'json')).stdout).schedules;
  const { exitCode, stderr } = await run('schedule', 'run', id);
  if (exitCode !== 0 && exitCode !== 3) throw new Error(stderr);
  return http.requests.slice(before).map(({ body }) => body);
}

describe('an alert set by words', () => {
  it('says what is missing, and writes nothing into the crontab', async () => {
    await setPrice('190');
    const answer = await say('tell me when apple falls below 180');
    expect(answer).toContain('You are told, once, when AAPL falls below $180.00');
    expect(answer).toContain('It is at $190.00 now.');
    expect(answer).toContain('Nothing looks at your alerts yet');
    expect(answer).not.toContain('No channel');
    expect(readFileSync(rulesFile(), 'utf8')).toContain('kind: price, symbol: AAPL, below: "180"');
    expect(crontab.read()).toBeUndefined();
  });

  it('is looked at where the person says so, and keeps their comments', async () => {
    writeFileSync(rulesFile(), `# mine\n${readFileSync(rulesFile(), 'utf8')}`);
    expect(await say('check my alerts every 15 minutes')).toContain(
      'looked at every 15 minutes while the market is open',
    );
    expect(crontab.read()?.toString()).toContain('schedule run');
    expect(await say('check my alerts every 15 minutes')).toContain('already');
    await say('alert me if NVDA goes above 100000');
    expect(readFileSync(rulesFile(), 'utf8')).toMatch(/^# mine\n/);
  });

  it('is told once while it lasts, and again after it was armed again', async () => {
    expect(await lookAt('10:15', '181')).toEqual([]);
    expect(await lookAt('10:30', '179')).toEqual([expect.stringContaining('AAPL is at $179.00')]);
    expect(await lookAt('10:45', '178')).toEqual([]);
    // A hundredth of the price back, no less.
    expect(await lookAt('11:00', '181')).toEqual([]);
    expect(await lookAt('11:15', '179')).toEqual([]);
    expect(await lookAt('11:30', '182')).toEqual([]);
    expect(await lookAt('11:45', '179')).toEqual([expect.stringContaining('AAPL is at $179.00')]);
  });

  it('is not told any more when the person wants it no more', async () => {
    expect(await say('stop telling me about AAPL')).toContain('You are not told any more when AAPL');
    expect(await say('what alerts do I have?')).not.toContain('AAPL');
    expect(await lookAt('12:00', '190')).toEqual([]);
    expect(await lookAt('12:15', '150')).toEqual([]);
  });

  it('is neither set nor removed by a run that only reads', async () => {
    const before = readFileSync(rulesFile(), 'utf8');
    expect((await run('run', 'tell me when KO falls below 10', '--read-only')).exitCode).toBe(8);
    expect((await run('run', 'stop telling me about NVDA', '--read-only')).exitCode).toBe(8);
    expect(readFileSync(rulesFile(), 'utf8')).toBe(before);
  });
});
