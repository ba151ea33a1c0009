import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3-multiple-ciphers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { Proposal, ProposalRequestInput } from '../../../src/trading/proposal.ts';
import { type Person, type ProposalWorld, startProposalWorld } from './world.ts';

/** The owner's rules, over the network: a real gateway, provider and phone on a folder with limits. */
describe('the owner’s rules, changed from afar,', () => {
  let world: ProposalWorld;
  let alice: Person;
  let bob: Person;
  let folder: string;
  beforeAll(async () => {
    world = await startProposalWorld();
    folder = join(world.folder, 'sandbox');
    [alice, bob] = await Promise.all([world.as('alice'), world.as('bob')]);
    write('limits.yaml', 'version: 1\naccounts: {"*": {max_order_notional: "1000", max_day_orders: 50}}\n');
  });
  afterAll(() => world.close());

  function write(name: string, text: string): void {
    mkdirSync(join(folder, name, '..'), { recursive: true, mode: 0o700 });
    writeFileSync(join(folder, name), text, { mode: 0o600 });
  }
  const written = () => readFileSync(join(folder, 'limits.yaml'), 'utf8');
  const policy = async (who: Person) => (await who.send('GET', '/v1/policy')).body;
  const change = async (limits: object, more: object = {}) => ({
    base: (await policy(alice)).digest,
    limits,
    ...more,
  });
  const put = async (limits: object, more: object = {}) => alice.send('PUT', '/v1/policy', await change(limits, more));
  const propose = async (limits: object): Promise<Proposal> =>
    alice.propose({ kind: 'policy_change', policy_change: await change(limits) } as ProposalRequestInput);
  const check = (qty: string, price = '100') =>
    alice.send('POST', '/v1/policy/check', {
      order: { symbol: 'KO', side: 'buy', qty, type: 'limit', limit_price: price, time_in_force: 'gtc' },
    });

  it('are told with what is used of them, each person their own account’s', async () => {
    const { account: { account } = { account: '' } } = {
      account: (await alice.send('GET', '/v1/account')).body,
    };
    expect(await policy(alice)).toMatchObject({
      account,
      environment: 'paper',
      trading: { state: 'active' },
      limits: { max_order_notional: '1000', max_day_orders: 50 },
      today: { day_orders: 0, day_notional: '0.00' },
      policies: {},
      firm: {},
    });
    expect((await policy(bob)).account).not.toBe(account);
  });

  it('become tighter at once, without a tap, and loosen nobody else’s', async () => {
    const answer = await put({ max_order_notional: '500', max_day_orders: 50 });
    expect(answer).toMatchObject({
      status: 200,
      body: { changes: ['tighter: Maximum per order $1,000.00 → $500.00'] },
    });
    expect(await policy(alice)).toMatchObject({
      digest: answer.body.digest,
      limits: { max_order_notional: '500' },
    });
    expect(await policy(bob)).toMatchObject({ limits: { max_order_notional: '1000' } });
    expect(await world.phone.allRequests('alice')).toEqual([]);
  });

  it('do not become looser by a session: not by any limit, not by a rule that goes, and a halt is not ended', async () => {
    const before = written();
    for (const limits of [{ max_order_notional: '501', max_day_orders: 50 }, { max_day_orders: 50 }, {}]) {
      expect(await put(limits)).toMatchObject({
        status: 403,
        body: {
          code: 'policy_denied',
          reason: 'APPROVAL_MISSING',
          hint: expect.stringContaining('policy_change'),
        },
      });
    }
    expect(written()).toBe(before);
    expect((await alice.send('DELETE', '/v1/halt')).status).toBe(404);
    expect((await alice.send('PUT', '/v1/halt', { state: 'halted' })).body).toMatchObject({ halted: true });
    expect((await alice.send('PUT', '/v1/halt', { state: 'active' })).status).toBe(400);
    expect((await alice.send('GET', '/v1/halt')).body).toMatchObject({ halted: true });
    const looser = await alice.ask({
      kind: 'policy_change',
      policy_change: await change({ max_order_notional: '5000' }),
    });
    expect(looser).toMatchObject({ status: 403, body: { reason: 'TRADING_HALTED' } });
    await alice.approved({ kind: 'lift', lift: {} });
  });

  it('become looser by a tap, which shows what is possible then, and not without', async () => {
    const request = { max_order_notional: '2000', max_day_orders: 40 };
    const denied = await propose(request);
    expect(denied).toMatchObject({
      worst_case: { cash: null, text: expect.stringContaining('Maximum per order $500.00 → $2,000.00') },
      subject: {
        changes: ['looser: Maximum per order $500.00 → $2,000.00', 'tighter: Orders per day 50 → 40'],
      },
    });
    await alice.tap(denied.code, 'deny');
    await alice.until(denied.id, 'denied');
    expect((await policy(alice)).limits).toMatchObject({ max_order_notional: '500' });
    expect((await check('15')).body).toMatchObject({
      effect: 'deny',
      reasons: ['NOTIONAL_EXCEEDS_MAX_PER_ORDER'],
    });
    const { id, code } = await propose(request);
    await alice.tap(code);
    const done = await alice.until(id, 'executed');
    expect(done.result).toMatchObject({ digest: (done.subject as { digest: string }).digest });
    expect(await policy(alice)).toMatchObject({
      digest: (done.result as { digest: string }).digest,
      limits: request,
    });
    expect((await check('15')).body).toMatchObject({ effect: 'ask' });
    expect(parse(written()).accounts['*']).toEqual({ max_order_notional: '1000', max_day_orders: 50 });
  });

  it('stay as they are where they were changed since it was asked, whoever approves', async () => {
    const { id, code } = await propose({ max_order_notional: '3000', max_day_orders: 40 });
    await put({ max_order_notional: '1500', max_day_orders: 40 });
    await alice.tap(code);
    expect(await alice.until(id, 'blocked')).toMatchObject({ reason: { code: 'rules_stale' } });
    expect((await policy(alice)).limits).toMatchObject({ max_order_notional: '1500' });
  });

  it('are said by what is wrong with a change, before a phone rings', async () => {
    const wrong = [
      [{ max_ordr_notional: '5' }, {}],
      [{ max_order_notional: 5 }, {}],
      [{ max_order_notional: '5' }, { policies: { 'a.cedar': 'forbid' } }],
    ] as const;
    for (const [limits, more] of wrong) {
      const body = await change(limits, more);
      expect(await alice.send('PUT', '/v1/policy', body)).toMatchObject({
        status: 422,
        body: { code: 'invalid_policy', hint: expect.any(String) },
      });
      const proposed = await alice.ask({ kind: 'policy_change', policy_change: body });
      expect(proposed).toMatchObject({ status: 422, body: { code: 'invalid_policy' } });
    }
    expect(await alice.send('PUT', '/v1/policy', { limits: {} })).toMatchObject({ status: 422 });
  });

  it('are said of an order as its proposal and its execution would, with nothing kept and nobody asked', async () => {
    const before = await alice.send('GET', '/v1/decisions');
    const answer = await check('16');
    expect(answer).toMatchObject({
      status: 200,
      body: {
        effect: 'deny',
        reasons: ['NOTIONAL_EXCEEDS_MAX_PER_ORDER'],
        limit: '1500.00',
        value: '1600.00',
      },
    });
    expect((await alice.send('GET', '/v1/decisions')).body).toEqual(before.body);
    const proposed = await alice.ask({
      kind: 'order',
      order: {
        symbol: 'KO',
        side: 'buy',
        qty: '16',
        type: 'limit',
        limit_price: '100',
        time_in_force: 'gtc',
      },
    });
    const { reasons, limit, value, policy: digest } = answer.body;
    expect(proposed).toMatchObject({ status: 403, body: { reasons, limit, value, policy: digest } });
    const { decisions } = (await alice.send('GET', '/v1/decisions?effect=deny&limit=1')).body;
    expect(decisions).toMatchObject([
      { stage: 'proposal', effect: 'deny', reasons, policy: digest, facts: { order: { symbol: 'KO' } } },
    ]);
    expect(JSON.stringify(decisions)).not.toMatch(/eyJ|accessToken/);
    expect((await bob.send('GET', '/v1/decisions')).body).toEqual({ decisions: [] });
  });

  it('are shown whole on the phone, or are not proposed', async () => {
    const account = String((await policy(alice)).account);
    const rule = `@id("no-gme") forbid (principal, action in Action::"trade", resource == Account::"${account}") when { context.order.symbol == "GME" };`;
    const text = `${rule}\n// ${'x'.repeat(3_990 - rule.length)}`;
    const request = async (limits: object, policies: object) => ({
      kind: 'policy_change',
      policy_change: await change(limits, { policies }),
    });
    const { id, code } = await alice.propose(
      (await request({ max_order_notional: '1600' }, { 'long.cedar': text })) as ProposalRequestInput,
    );
    await alice.tap(code);
    await alice.until(id, 'executed');
    expect((await policy(alice)).policies).toEqual({ 'long.cedar': text });
    const symbols = Array.from({ length: 400 }, (_, index) => `SYM${index}`);
    for (const [limits, policies] of [
      [{ symbols: { deny: symbols } }, {}],
      [{}, { 'long.cedar': `${text}xxxxxxxx` }],
    ] as const) {
      const answer = await alice.ask(await request(limits, policies));
      expect([400, 422]).toContain(answer.status);
    }
    expect(await put({ max_order_notional: '1500', max_day_orders: 40, symbols: { deny: symbols } })).toMatchObject({
      status: 200,
    });
  });

  it('are told without what is another account’s', async () => {
    const account = String((await policy(alice)).account);
    const rule = (id: string, who: string) =>
      `@id("${id}") forbid (principal, action in Action::"trade", resource == Account::"${who}") when { context.order.symbol == "GME" };\n`;
    write('policies/alice.cedar', rule('a', account));
    write('policies/both.cedar', rule('b', account) + rule('c', 'PA3SOMEONE'));
    write('policies/other.cedar', rule('d', 'PA3SOMEONE'));
    const { policies, digest } = await policy(alice);
    expect(Object.keys(policies as object)).toEqual(['alice.cedar', 'both.cedar', 'long.cedar']);
    expect(JSON.stringify(policies)).not.toContain('PA3SOMEONE');
    expect(await policy(bob)).toMatchObject({ digest, policies: {} });
    write('policies/wrong.cedar', 'forbid');
    expect(await policy(bob)).toMatchObject({ problem: 'the gateway’s rules are invalid' });
    expect(JSON.stringify(await policy(bob))).not.toContain(world.folder);
  });

  it('get their place in the tree of the record, though nothing else happens', async () => {
    const database = new Database(join(folder, 'gateway.db'), { readonly: true });
    const pending = database.prepare('SELECT count(*) FROM record_lines WHERE leaf IS NULL').pluck();
    try {
      await expect.poll(() => pending.get()).toBe(0);
      rmSync(join(folder, 'policies/wrong.cedar'));
      const { limits } = await policy(alice);
      expect(await put({ ...(limits as object), max_day_orders: 39 })).toMatchObject({ status: 200 });
      expect(pending.get()).toBe(1);
      await expect.poll(() => pending.get()).toBe(0);
    } finally {
      database.close();
    }
  });

  it('are on the record, and nothing of a token is', () => {
    const lines = world.record();
    expect(lines.filter(({ event }) => event === 'rules_tightened')).toHaveLength(4);
    expect(lines.find(({ event }) => event === 'rules_tightened')).toMatchObject({
      sub: 'alice',
      changes: ['tighter: Maximum per order $1,000.00 → $500.00'],
    });
    expect(lines).toContainEqual(expect.objectContaining({ event: 'executed', kind: 'policy_change' }));
  });
});
