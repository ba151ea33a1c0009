import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunResult } from '../../../src/agent/events.ts';
import type { App } from '../../../src/app/app.ts';
import { createApp } from '../../../src/app/create-app.ts';
import { runSchedule } from '../../../src/app/schedule/run-schedule.ts';
import { openSchedules } from '../../../src/app/schedule/schedule-context.ts';
import { systemClock } from '../../../src/machine/clock.ts';
import { type CliWorld, openCliWorld } from '../cli/cli-world.ts';
import { type HttpRecorder, openHttpRecorder } from '../notify/http-recorder.ts';
import { type FakeCrontab, fakeCrontab } from './fake-crontab.ts';

let world: CliWorld;
let http: HttpRecorder;
let crontab: FakeCrontab;

beforeAll(async () => {
  world = await openCliWorld();
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
  await http.close();
  await world.close();
});

/** Something done with an agent's parts of its own, as each command has them. */
async function withApp<T>(work: (app: App) => Promise<T>): Promise<T> {
  const app = createApp({
    env: { ...world.env, PATH: crontab.path },
    clock: systemClock,
    fetch: globalThis.fetch,
    signal: AbortSignal.timeout(20_000),
    tell: () => undefined,
  });
  try {
    return await work(app);
  } finally {
    await app.close();
  }
}
async function say(prompt: string, readOnly = false): Promise<RunResult> {
  return withApp(async (app) => {
    const agent = await app.agent({ model: 'builtin', readOnly });
    let result: RunResult | undefined;
    for await (const event of agent.run({ prompt }, { approval: 'deny', signal: app.signal })) {
      if (event.type === 'result') result = event.result;
    }
    if (result === undefined) throw new Error('a run always ends with a result');
    return result;
  });
}
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
/** What cron does at the next moment that is due, which is a minute ago, and what was told of it. */
async function pollAt(price: string): Promise<string[]> {
  await setPrice(price);
  const before = http.requests.length;
  const run = await withApp(async (app) => {
    const store = await openSchedules(app);
    const [schedule] = store.list();
    if (schedule === undefined) throw new Error('there is no schedule');
    const { runs } = store.journal(schedule);
    store.put({ ...schedule, timing: { cron: '* * * * *' } });
    store.write(schedule.id, { handled: Date.now() - 90_000, pending: null, runs });
    const progress = { finding: () => undefined, proposing: () => undefined };
    return runSchedule(app, store.find(schedule.id), { now: false, progress });
  });
  expect(run.status).toBe('ran');
  return http.requests.slice(before).map(({ body }) => body);
}

describe('an alert set by words', () => {
  it('says what is missing, and writes nothing into the crontab', async () => {
    await setPrice('190');
    const { text: answer } = await say('tell me when apple falls below 180');
    expect(answer).toContain('You will be notified once when AAPL falls below $180.00');
    expect(answer).toContain('It is now at $190.00.');
    expect(answer).toContain('Nothing checks your alerts yet');
    expect(answer).not.toContain('no notification channel');
    expect(readFileSync(rulesFile(), 'utf8')).toContain('kind: price, symbol: AAPL, below: "180"');
    expect(crontab.read()).toBeUndefined();
  });

  it('is looked at where the person says so, and keeps their comments', async () => {
    writeFileSync(rulesFile(), `# mine\n${readFileSync(rulesFile(), 'utf8')}`);
    expect((await say('check my alerts every 15 minutes')).text).toContain(
      'checked every 15 minutes while the market is open',
    );
    expect(crontab.read()?.toString()).toContain('schedule run');
    expect((await say('check my alerts every 15 minutes')).text).toContain('already');
    await say('alert me if NVDA goes above 100000');
    expect(readFileSync(rulesFile(), 'utf8')).toMatch(/^# mine\n/);
  });

  it('is told once while it lasts, and again after it was armed again', async () => {
    expect(await pollAt('181')).toEqual([]);
    expect(await pollAt('179')).toEqual([expect.stringContaining('AAPL is at $179.00')]);
    expect(await pollAt('178')).toEqual([]);
    // A hundredth of the price back, no less.
    expect(await pollAt('181')).toEqual([]);
    expect(await pollAt('179')).toEqual([]);
    expect(await pollAt('182')).toEqual([]);
    expect(await pollAt('179')).toEqual([expect.stringContaining('AAPL is at $179.00')]);
  });

  it('is not told any more when the person wants it no more', async () => {
    expect((await say('stop telling me about AAPL')).text).toContain('You will no longer be notified when AAPL');
    expect((await say('what alerts do I have?')).text).not.toContain('AAPL');
    expect(await pollAt('190')).toEqual([]);
    expect(await pollAt('150')).toEqual([]);
  });

  it('is neither set nor removed by a run that only reads', async () => {
    const before = readFileSync(rulesFile(), 'utf8');
    expect((await say('tell me when KO falls below 10', true)).error).toMatchObject({ code: 'blocked' });
    expect((await say('stop telling me about NVDA', true)).error).toMatchObject({ code: 'blocked' });
    expect(readFileSync(rulesFile(), 'utf8')).toBe(before);
  });
});
