import { once } from 'node:events';
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type CliWorld, openCliWorld } from '../cli/cli-world.ts';
import { impatientClock } from '../hasty-clock.ts';
import { fakeCrontab } from './fake-crontab.ts';

let world: CliWorld;
let path: string;
let rules: string;
let rule = 0;

beforeAll(async () => {
  world = await openCliWorld();
  await world.login();
  path = fakeCrontab(world.folder).path;
});
afterAll(() => world.close());
beforeEach(() => {
  world.sandbox.faults.clear();
  rules = join(world.folder, `rules-${++rule}.yaml`);
  writeRules(`r${rule}`);
});

/** A rule that nothing has fired yet. */
const writeRules = (name: string) =>
  writeFileSync(rules, `rules:\n  - {name: ${name}, kind: price, symbol: AAPL, above: 1}\n`);
const run = (...args: string[]) => world.run(['schedule', ...args], { env: { PATH: path } });
const fileOf = (id: string) => join(world.folder, 'agent', 'schedules', `${id}.json`);

/** A schedule that has been due for so many minutes, each minute. */
async function dueFor(minutes: number, ...args: string[]): Promise<string> {
  const { stdout, stderr } = await run(
    ...['add', '--cron', '* * * * *', '--rules', rules, '--yes', '--output', 'json', ...args],
  );
  if (stdout === '') throw new Error(stderr);
  const { id } = JSON.parse(stdout).schedule;
  change(id, { created_at: new Date(Date.now() - minutes * 60_000).toISOString() });
  return id;
}
/** A schedule with one moment behind it, and no newer one while a test lasts. */
async function dueOnce(): Promise<string> {
  const id = await dueFor(2);
  change(id, { timing: { cron: `${new Date(Date.now() - 60_000).getUTCMinutes()} * * * *` } });
  return id;
}
function change(id: string, more: Record<string, unknown>): void {
  writeFileSync(fileOf(id), JSON.stringify({ ...JSON.parse(readFileSync(fileOf(id), 'utf8')), ...more }));
}
const logs = async (id: string) =>
  JSON.parse((await run('logs', id, '--output', 'json')).stdout).runs as Record<string, unknown>[];

describe('schedule run', () => {
  it('runs what is due, once, tells what it found, and keeps it', async () => {
    const id = await dueOnce();
    const first = await run('run', id);
    expect(first.exitCode).toBe(3);
    expect(first.stdout).toContain(`[r${rule}]`);
    expect(await logs(id)).toMatchObject([
      {
        ...{ schedule: id, status: 'found', exit_code: 3, found: 1, missed: 0, attempt: 1 },
        findings: [{ rule: `r${rule}`, severity: 'warning' }],
      },
    ]);
    const text = (await run('logs')).stdout;
    expect(text).toContain(`${id}  `);
    expect(text).toContain('found (1)');
    expect(statSync(fileOf(id).replace('.json', '.runs.json')).mode & 0o777).toBe(0o600);
  });

  it('says nothing at all where nothing is due, or nothing is found: cron mails each line', async () => {
    const notDue = await dueFor(-10);
    expect(await run('run', notDue)).toEqual({ exitCode: 0, stdout: '', stderr: '' });
    expect(await logs(notDue)).toEqual([]);
    const nothing = await dueFor(1);
    writeRules(`r${rule}`.toUpperCase());
    writeFileSync(rules, 'rules:\n  - {name: never, kind: price, symbol: AAPL, above: 1000000}\n');
    expect(await run('run', nothing)).toEqual({ exitCode: 0, stdout: '', stderr: '' });
    expect(await logs(nothing)).toMatchObject([{ status: 'clear' }]);
  });

  it('speaks up, with nothing new found, while a notice of what was found could not be sent', async () => {
    const config = join(world.folder, 'agent', 'config.yaml');
    const push = '{kind: ntfy, topic: t, server: "http://127.0.0.1:9"}';
    writeFileSync(config, `profiles:\n  sandbox:\n    sandbox: true\n    notices:\n      push: ${push}\n`, {
      mode: 0o600,
    });
    try {
      const [first, second] = [await dueOnce(), await dueOnce()];
      const impatiently = (id: string) =>
        world.run(['schedule', 'run', id], { env: { PATH: path }, clock: impatientClock });
      expect((await impatiently(first)).stderr).toContain('was not sent through push');
      const again = await impatiently(second);
      expect(again.exitCode).toBe(0);
      expect(again.stderr).toContain('was not sent through push');
      expect(await logs(first)).toMatchObject([{ status: 'found', unsent: 1 }]);
      expect((await run('logs', second)).stdout).toContain('clear, notices not sent: 1');
    } finally {
      rmSync(config);
    }
  });

  it('is begun by a person at any time with --now, and tells what it saw', async () => {
    const id = await dueFor(-10);
    const { exitCode, stdout } = await run('run', id, '--now', '--output', 'json');
    expect(exitCode).toBe(3);
    expect(JSON.parse(stdout)).toMatchObject({
      ...{ schema: 'trade-agent.schedule-run/1', id, status: 'ran' },
      run: { due: null, status: 'found' },
      check: { status: 'found', findings: [{ rule: `r${rule}` }] },
    });
    // It stands for no moment: what is due later is due all the same.
    expect(JSON.parse((await run('run', id, '--output', 'json')).stdout)).toMatchObject({
      status: 'not_due',
    });
  });

  describe('with --suggest', () => {
    const phone = (decide: 'approve' | 'deny') =>
      world.run(['phone', '--user', 'alice', '--decide', decide, '--once', '--timeout', '30s']);
    const dip = () => {
      const order = `{name: dip-${rule}, kind: order, symbol: NVDA, below: 100000, order: {side: buy, qty: 1}}`;
      writeFileSync(rules, `rules:\n  - ${order}\n`);
      return dueFor(1, '--suggest');
    };

    it('asks and ends; what the phone approves is placed with nothing running, once', async () => {
      const id = await dip();
      const { exitCode, stderr } = await run('run', id);
      expect(exitCode).toBe(5);
      expect(stderr.match(/Approval needed/g)).toHaveLength(1);
      const [record] = (await logs(id)) as { approvals: { id: string }[] }[];
      expect(record).toMatchObject({ status: 'pending', approvals: [{ status: 'requested' }] });
      const shown = await world.run(['approvals', 'show', String(record?.approvals[0]?.id), '--output', 'json']);
      const { approval } = JSON.parse(shown.stdout);
      expect(approval).toMatchObject({ requested_by: `schedule ${id}`, order: { symbol: 'NVDA' } });
      // A working day to look at the phone.
      expect(Date.parse(approval.expires_at) - Date.now()).toBeGreaterThan(7 * 3_600_000);
      await phone('approve');
      await expect.poll(() => world.ordersAtBroker()).toBe(1);
      expect((await run('run', id, '--now')).exitCode).toBe(0);
      expect(world.ordersAtBroker()).toBe(1);
    });

    it('asks no more once the phone has said no', async () => {
      const id = await dip();
      expect((await run('run', id)).exitCode).toBe(5);
      await phone('deny');
      expect((await run('run', id, '--now')).exitCode).toBe(0);
      expect(world.ordersAtBroker()).toBe(1);
    });

    it('asks no second time while the question stands', async () => {
      const id = await dip();
      expect((await run('run', id)).exitCode).toBe(5);
      const [record] = (await logs(id)) as { approvals: { id: string }[] }[];
      expect((await run('run', id, '--now')).exitCode).toBe(0);
      expect(await logs(id)).toMatchObject([{ status: 'clear', approvals: [] }, {}]);
      await world.run(['approvals', 'cancel', record?.approvals[0]?.id ?? '']);
    });
  });

  it('records wrong rules with their line, ends 2, and does not try them again', async () => {
    const id = await dueFor(1);
    writeFileSync(rules, 'rules:\n  - name: a\n    kind: price\n    symbl: AAPL\n    above: 5\n');
    const { exitCode, stderr } = await run('run', id);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('Did you mean "symbol"?');
    expect(await logs(id)).toMatchObject([
      { status: 'failed', exit_code: 2, error: { message: expect.stringContaining('symbl') } },
    ]);
    const { pending } = JSON.parse(readFileSync(fileOf(id).replace('.json', '.runs.json'), 'utf8'));
    expect(pending).toBe(null);
  });

  it('tries again at the next wake-up what the network failed, and finds it then', async () => {
    const id = await dueOnce();
    world.sandbox.faults.set('broker_5xx', 1000);
    const failed = await run('run', id);
    expect(failed.exitCode).toBe(1);
    expect(failed.stderr).not.toBe('');
    world.sandbox.faults.clear();
    expect((await run('run', id)).exitCode).toBe(3);
    expect(await run('run', id)).toEqual({ exitCode: 0, stdout: '', stderr: '' });
    expect(await logs(id)).toMatchObject([
      { status: 'found', attempt: 2 },
      { status: 'failed', attempt: 1, exit_code: 1 },
    ]);
  });

  it('lets one run of an account go on at a time: the other ends 12, and has its turn later', async () => {
    const [a, b] = [await dueFor(1), await dueFor(1)];
    const both = await Promise.all([run('run', a), run('run', b)]);
    expect(both.map(({ exitCode }) => exitCode).sort((x, y) => x - y)).toEqual([12, 3].sort((x, y) => x - y));
    const refused = both[0]?.exitCode === 12 ? a : b;
    expect(await logs(refused)).toMatchObject([{ status: 'busy' }]);
    // What the other found is found no second time.
    expect((await run('run', refused)).exitCode).toBe(0);
    expect(await logs(refused)).toMatchObject([{ status: 'clear' }, { status: 'busy' }]);
  });

  it('is not run twice at once', async () => {
    const id = await dueFor(1);
    const both = await Promise.all([run('run', id), run('run', id)]);
    expect(both.map(({ exitCode }) => exitCode).sort((x, y) => x - y)).toEqual([3, 12]);
    expect(both.find(({ exitCode }) => exitCode === 12)?.stderr).toContain('in progress');
    expect(await logs(id)).toHaveLength(1);
  });

  it('stops a run that hangs at its time limit, ends 124, and tries it again', async () => {
    const id = await dueOnce();
    change(id, { timeout: 400 });
    world.sandbox.faults.set('slow_answers', 1000);
    expect((await run('run', id)).exitCode).toBe(124);
    world.sandbox.faults.clear();
    change(id, { timeout: 600_000 });
    expect((await run('run', id)).exitCode).toBe(3);
    expect(await logs(id)).toMatchObject([
      { status: 'found', attempt: 2 },
      { status: 'timed_out', exit_code: 124, error: { code: 'timeout' } },
    ]);
  });

  it('knows of a run that was killed, and does its work', async () => {
    const id = await dueOnce();
    world.sandbox.faults.set('slow_answers', 1000);
    const child = world.spawn(['schedule', 'run', id]);
    const closed = once(child, 'close');
    await expect.poll(async () => (await logs(id))[0]?.status, { timeout: 15_000, interval: 50 }).toBe('running');
    child.kill('SIGKILL');
    await closed;
    world.sandbox.faults.clear();
    expect((await run('run', id)).exitCode).toBe(3);
    expect(await logs(id)).toMatchObject([
      { status: 'found', attempt: 2 },
      { status: 'died', exit_code: null },
    ]);
  });

  it('uses the profile it was made with, whatever the environment says', async () => {
    const id = await dueFor(1);
    const { exitCode } = await world.run(['schedule', 'run', id], {
      env: { PATH: path, TRADE_AGENT_PROFILE: 'work' },
    });
    expect(exitCode).toBe(3);
    const other = await run('run', id, '--profile', 'work');
    expect(other.exitCode).toBe(2);
    expect(other.stderr).toContain('belongs to profile sandbox');
  });

  it('says that a schedule is overdue which nothing starts', async () => {
    const id = await dueFor(90);
    const { schedules } = JSON.parse((await run('list', '--output', 'json')).stdout);
    const listed = schedules.find((schedule: { id: string }) => schedule.id === id);
    expect(listed.overdue).toMatch(/^\d{4}-/);
    expect((await run('list')).stdout).toMatch(/OVERDUE since .*: is cron running\?/);
    await run('run', id);
    const after = JSON.parse((await run('list', '--output', 'json')).stdout).schedules;
    expect(after.find((schedule: { id: string }) => schedule.id === id).overdue).toBe(null);
  });

  it('runs with nobody signed in no further than to say so', async () => {
    const id = await dueFor(1);
    await world.run(['logout']);
    const { exitCode, stderr } = await run('run', id);
    expect(exitCode).toBe(4);
    expect(stderr).toContain('trade-agent login');
    expect(await logs(id)).toMatchObject([{ status: 'failed', exit_code: 4 }]);
    await world.login();
  });
});
