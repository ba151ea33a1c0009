import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { App } from '../../../src/app/app.ts';
import { runChecks } from '../../../src/app/check/run-check.ts';
import { createApp } from '../../../src/app/create-app.ts';
import { followCombinedPortfolio, type LiveCombinedPortfolio } from '../../../src/app/portfolio/portfolio.ts';
import { systemClock } from '../../../src/machine/clock.ts';
import { fakeCrontab } from '../schedule/fake-crontab.ts';
import { suiteCliWorld } from './cli-world.ts';

const world = suiteCliWorld({ secondAccounts: true });
/** Alice's accounts. */
let first: string;
let second: string;
beforeAll(async () => {
  world.env.PATH = fakeCrontab(world.folder).path;
  const { accounts } = (await world.json('accounts')).body;
  [first, second] = accounts.map(({ account }: { account: string }) => account);
});

const run = (...args: string[]) => world.run(args);

let rule = 0;
/** A rule that nothing has fired yet. */
function newRules(): string {
  const file = join(world.folder, `rules-${++rule}.yaml`);
  writeFileSync(file, `rules:\n  - {name: all${rule}, kind: price, symbol: AAPL, above: 1}\n`);
  return file;
}

describe('--account all', () => {
  it('has a check look at each account by itself, and each result name its account and broker', async () => {
    const rules = newRules();
    const report = join(world.folder, 'report.html');
    const args = ['check', '--account', 'all', '--rules', rules] as const;
    const { exitCode, body } = await world.json(...args, '--report', report);
    expect(exitCode).toBe(3);
    expect(body).toMatchObject({
      schema: 'trade-agent.checks/1',
      checks: [
        { status: 'found', account: { account: first, label: 'Alpaca' }, findings: [{ rule: `all${rule}` }] },
        { status: 'found', account: { account: second, label: 'Second paper account' } },
      ],
      missing: [],
    });
    for (const account of [first, second]) {
      expect(readFileSync(join(world.folder, `report.${account}.html`), 'utf8')).toContain(account);
    }
    expect(existsSync(report)).toBe(false);
    // Each account's check remembers its own.
    const { exitCode: after, stdout } = await run(...args);
    expect(after).toBe(0);
    expect(stdout).toMatch(new RegExp(`== ${first} at Alpaca\\n[^]*== ${second} at Second paper account\\n`));
    const one = await world.json('check', '--rules', rules);
    expect(one).toMatchObject({ exitCode: 0, body: { schema: 'trade-agent.check/1' } });
    expect(one.body.account).not.toHaveProperty('label');
  });

  it('lists orders of all, and is refused where something is done in one', async () => {
    expect((await world.json('orders', '--account', 'all')).body).toMatchObject({ orders: [], missing: [] });
    expect((await world.json('portfolio', '--account', 'all')).body.accounts).toHaveLength(2);
    const { exitCode, stderr } = await run('order', 'buy', 'KO', '--qty', '1', '--account', 'all');
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining('one account at a time')]);
  });

  it('that none of can be looked at says why of each, and remembers nothing', async () => {
    const rules = newRules();
    world.sandbox.faults.set('broker_5xx', 1000);
    const failed = await run('check', '--account', 'all', '--rules', rules);
    world.sandbox.faults.clear();
    expect([failed.exitCode, failed.stderr]).toEqual([
      1,
      expect.stringContaining('no account could be checked (Alpaca: '),
    ]);
    expect(failed.stderr).toContain('Second paper account: ');
    expect((await world.json('check', '--account', 'all', '--rules', rules)).exitCode).toBe(3);
  });
});

describe('a schedule', () => {
  const add = (...args: string[]) =>
    world.json('schedule', 'add', '--cron', '* * * * *', '--rules', newRules(), '--yes', ...args);

  it('of a named account keeps its number, and runs in that one', async () => {
    const { body } = await add('--account', 'second');
    expect(body.schedule.account).toBe(second);
    const ran = await world.json('schedule', 'run', body.schedule.id, '--now');
    expect(ran.body.check.account.account).toBe(second);
    const other = await run('schedule', 'run', body.schedule.id, '--now', '--account', 'broker');
    expect([other.exitCode, other.stderr]).toEqual([2, expect.stringContaining(`is for account ${second}`)]);
  });

  it('of all accounts runs in each, and its record says which found what', async () => {
    const { body } = await add('--account', 'all');
    expect(body.schedule.account).toBe('all');
    const ran = await world.json('schedule', 'run', body.schedule.id, '--now');
    expect(ran.exitCode).toBe(3);
    expect(ran.body.checks.map((one: { account: { account: string } }) => one.account.account)).toEqual([
      first,
      second,
    ]);
    expect(ran.body.run.findings).toMatchObject([
      { account: `${first} at Alpaca` },
      { account: `${second} at Second paper account` },
    ]);
    expect((await run('schedule', 'list')).stdout).toContain('all accounts, ');
  });

  it('of no named account is of the default one at each run', async () => {
    const { body } = await add();
    expect(body.schedule.account).toBeNull();
    const ran = await world.json('schedule', 'run', body.schedule.id, '--now');
    expect(ran.body.check.account.account).toBe(first);
  });

  it('of an account that nobody has is not written', async () => {
    const { exitCode, body } = await add('--account', 'nosuch');
    expect([exitCode, body.error.message]).toEqual([2, expect.stringContaining('you have no account "nosuch"')]);
  });
});

describe('where one of the accounts can’t be read', () => {
  let app: App;
  beforeEach(() => {
    app = createApp({
      env: world.env,
      clock: systemClock,
      fetch: (input, init) =>
        String(input).includes(`account=${second}`)
          ? Promise.reject(new TypeError('fetch failed', { cause: { code: 'ECONNREFUSED' } }))
          : fetch(input, init),
      signal: new AbortController().signal,
      accountOption: 'all',
      tell: () => undefined,
    });
  });
  afterEach(() => app.close());

  it('a check names it, and the other is checked, told and remembered', async () => {
    const rules = newRules();
    const silent = { finding: () => undefined, proposing: () => undefined, found: () => undefined };
    const { checks, missing } = await runChecks(app, { rules, approval: 'deny' }, silent, () => undefined);
    expect(checks.map(({ result }) => [result.account.account, result.findings.length])).toEqual([[first, 1]]);
    expect(missing).toMatchObject([{ account: second, label: 'Second paper account' }]);
    const again = await world.json('check', '--account', 'all', '--rules', rules);
    expect(again.body.checks.map((one: { status: string }) => one.status)).toEqual(['clear', 'found']);
  });

  it('what is live names it, and keeps the other and the total up to date', async () => {
    const stop = new AbortController();
    const seen: LiveCombinedPortfolio[] = [];
    const following = followCombinedPortfolio(app, {
      signal: stop.signal,
      changed: (across) => seen.push(across),
      proposalChanged: () => undefined,
    });
    await expect.poll(() => seen.at(-1)?.missing).toMatchObject([{ account: second }]);
    await expect.poll(() => seen.at(-1)?.accounts.map(({ account }) => account.account)).toEqual([first]);
    const [total] = seen.at(-1)?.totals ?? [];
    expect(total?.equity).toBe(seen.at(-1)?.accounts[0]?.account.equity);
    stop.abort();
    await following.catch(() => undefined);
  });
});

it('all accounts are live at once, each by its own', async () => {
  const stop = new AbortController();
  const app = createApp({
    ...{ env: world.env, clock: systemClock, fetch: globalThis.fetch, signal: stop.signal },
    ...{ accountOption: 'all', tell: () => undefined },
  });
  let last: LiveCombinedPortfolio | undefined;
  const following = followCombinedPortfolio(app, {
    signal: stop.signal,
    changed: (across) => {
      last = across;
    },
    proposalChanged: () => undefined,
  });
  const held = () =>
    last?.accounts.map(({ label, positions }) => [label, positions.find(({ symbol }) => symbol === 'KO')?.qty ?? '0']);
  await expect.poll(held).toEqual([
    ['Alpaca', expect.any(String)],
    ['Second paper account', '0'],
  ]);
  const [inFirst] = held() ?? [];
  await run('order', 'buy', 'KO', '--qty', '1', '--account', 'second', '--approval', 'detach');
  await run('phone', '--decide', 'approve', '--once');
  await expect.poll(held).toEqual([inFirst, ['Second paper account', '1']]);
  stop.abort();
  await following.catch(() => undefined);
  await app.close();
});
