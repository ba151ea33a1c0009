import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import Database from 'better-sqlite3-multiple-ciphers';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Rules } from '../../../src/gateway/policy/rules.ts';
import { createStaticRulesSource } from '../../../src/gateway/policy/rules.ts';
import { formatUtcSeconds } from '../../../src/machine/clock.ts';
import { listToolsForCaller } from '../../../src/mcp/tools/catalog.ts';
import { MCP_SCOPES, SCOPES } from '../../../src/oauth/scopes.ts';
import { tools } from '../../../src/tools/catalog.ts';
import { placeOrder } from '../../../src/tools/place-order.ts';
import { currentSlot } from '../../../src/trading/mandate/cadence.ts';
import type { MandateRequestInput } from '../../../src/trading/mandate/envelope.ts';
import { type MandateView, mandateViewSchema } from '../../../src/trading/mandate/mandate.ts';
import type { OrderDraft } from '../../../src/trading/order.ts';
import type { Proposal, ProposalRequestInput } from '../../../src/trading/proposal.ts';
import { type Person, type ProposalWorld, startProposalWorld } from './world.ts';

let world: ProposalWorld;
let alice: Person;
let limits: Rules['limitsOf'] = () => undefined;
const firstRules = '1'.repeat(43);
let digest = firstRules;

beforeAll(async () => {
  const none = await createStaticRulesSource().current();
  world = await startProposalWorld({
    rules: { current: async () => ({ ...none, digest, limitsOf: (account) => limits(account) }) },
  });
  alice = await world.as('alice');
});
afterAll(() => world.close());
beforeEach(async () => {
  limits = () => undefined;
  digest = firstRules;
  for (const { id, state } of await mandates())
    if (['active', 'exhausted'].includes(state)) await alice.send('DELETE', `/v1/mandates/${id}`);
});

const DAY = 86_400_000;
const asked = (changes: Partial<MandateRequestInput> = {}): ProposalRequestInput => ({
  kind: 'mandate',
  mandate: {
    symbols: ['KO', 'PEP'],
    max_order_notional: '200',
    max_total_notional: '600',
    max_orders: 5,
    expires_at: formatUtcSeconds(Date.now() + 20 * DAY),
    ...changes,
  },
});
/** In the person's own words, all of it. */
const typed = { fields: { symbol: { source: 'user' } } } as const;
/** One KO at a limit that nobody sells at, so that nothing of it is filled. */
const order = (changes: object = {}, more: object = {}): ProposalRequestInput => {
  const terms = { symbol: 'KO', side: 'buy', qty: '1', type: 'limit', limit_price: '20.00' } as const;
  return { kind: 'order', order: { ...terms, ...changes }, mandate: 'any', provenance: typed, ...more };
};
const never = { approval: 'mandate' } as const;

const mandates = async (who: Person = alice): Promise<MandateView[]> =>
  ((await who.send('GET', '/v1/mandates')).body.mandates as unknown[]).map((one) => mandateViewSchema.parse(one));

async function granted(changes: Partial<MandateRequestInput> = {}, who: Person = alice): Promise<string> {
  const { result } = await who.approved(asked(changes));
  return (result as { mandate: string }).mandate;
}

const refusedWith = (reason: string) => ({
  status: 403,
  body: { code: 'policy_denied', reason, reasons: expect.arrayContaining([reason]) },
});
const send = (request: ProposalRequestInput, key: string = randomUUID(), who: Person = alice) => who.ask(request, key);

/** How often anybody was asked, by the provider's own count. */
function askedAtProvider(): number {
  const database = new Database(join(world.folder, 'sandbox', 'identity-provider.db'), { readonly: true });
  const count = database.prepare<[], number>('SELECT count(*) FROM approval_requests').pluck().get() ?? 0;
  database.close();
  return count;
}

describe('a mandate', () => {
  it('is asked for on the phone, and is in force once it is approved', async () => {
    const { id, code, subject, worst_case } = await alice.propose(asked({ replaces: undefined }));
    expect(worst_case?.text).toMatch(/^Up to \$600\.00 total, without asking again, until \w{3} \d+\.$/);
    expect(subject).toMatchObject({
      account: 'PA3ALICE01',
      environment: 'paper',
      policy: firstRules,
      sides: ['buy'],
    });
    expect(await mandates()).not.toContainEqual(expect.objectContaining({ state: 'active' }));
    await alice.tap(code);
    const { result } = await alice.until(id, 'executed');
    expect(await mandates()).toContainEqual(
      expect.objectContaining({
        id: (result as { mandate: string }).mandate,
        state: 'active',
        used: { total_notional: '0.00', day_notional: '0.00', orders: 0 },
      }),
    );
  });

  it.each([
    ['that lasts too long', { expires_at: formatUtcSeconds(Date.now() + 91 * DAY) }, 400, 'invalid_order'],
    ['for eleven orders on demand', { max_orders: 11 }, 400, 'invalid_order'],
    ['for a symbol nobody knows', { symbols: ['ZZZZZ'] }, 422, 'unknown_symbol'],
    ['in the place of none', { replaces: 'M-0000000000' }, 404, 'not_found'],
    ['for real money', { environment: 'live' as const }, 403, 'environment_mismatch'],
  ])('is refused %s, and nobody is asked', async (_, changes, status, code) => {
    const before = askedAtProvider();
    expect(await send(asked(changes))).toMatchObject({ status, body: { code } });
    expect(askedAtProvider()).toBe(before);
  });

  it('takes the place of another in one: the old one ends with the tap', async () => {
    const old = await granted();
    const { id, code } = await alice.propose(asked({ replaces: old, max_orders: 2 }));
    expect((await mandates()).find((one) => one.id === old)?.state).toBe('active');
    await alice.tap(code);
    await alice.until(id, 'executed');
    expect((await mandates()).find((one) => one.id === old)?.state).toBe('replaced');
    expect(await send(order({}, { mandate: old, ...never }))).toMatchObject(refusedWith('MANDATE_NOT_ACTIVE'));
  });

  it('is nobody else’s to see, use or end', async () => {
    const mandate = await granted();
    const bob = await world.as('bob');
    const none = { status: 404, body: { code: 'not_found' } };
    for (const id of [mandate, 'M-0000000000']) {
      expect(await bob.send('GET', `/v1/mandates/${id}`)).toMatchObject(none);
      expect(await bob.send('DELETE', `/v1/mandates/${id}`)).toMatchObject(none);
      expect(await bob.send('PUT', `/v1/mandates/${id}/suspension`)).toMatchObject(none);
    }
    const [theirs, nobodys] = [
      await send(order({}, { mandate }), randomUUID(), bob),
      await send(order({}, { mandate: 'M-0000000000' }), randomUUID(), bob),
    ];
    expect(theirs).toMatchObject(none);
    expect({ ...theirs.body, request_id: '' }).toEqual({ ...nobodys.body, request_id: '' });
    expect(await mandates(bob)).toEqual([]);
  });
});

describe('an order within a mandate', () => {
  it('is placed and nobody is asked; the record says by which mandate', async () => {
    const mandate = await granted();
    const before = askedAtProvider();
    const { id, code } = await alice.propose(order());
    const placed = await alice.until(id, 'executed');
    expect(placed).toMatchObject({ code, subject: { mandate }, result: { symbol: 'KO' } });
    expect(askedAtProvider()).toBe(before);
    expect((await mandates()).find((one) => one.id === mandate)?.used).toEqual({
      total_notional: '20.00',
      day_notional: '20.00',
      orders: 1,
    });
    const lines = () => world.record().filter(({ proposal }) => proposal === id);
    const events = ['proposed', 'approved_by_mandate', 'executing', 'executed'];
    await expect.poll(() => lines().map(({ event }) => event)).toEqual(events);
    expect(lines()[1]).toMatchObject({ mandate, state: 'approved' });
  });

  it('has its mandate and slot in its digest', async () => {
    const mandate = await granted({ cadence: 'weekly' });
    const slot = currentSlot('weekly', Date.now());
    const placed = await alice.until((await alice.propose(order({}, { slot }))).id, 'executed');
    expect(placed.subject).toMatchObject({ mandate, slot });
    const database = new Database(join(world.folder, 'sandbox', 'gateway.db'), { readonly: true });
    const row = database
      .prepare<[string], { mandate: string; slot: string; draft: string }>(
        'SELECT mandate, slot, draft FROM gateway_orders WHERE client_order_id = ?',
      )
      .get((placed.subject as OrderDraft).client_order_id);
    database.close();
    expect(row).toMatchObject({ mandate, slot });
    expect(JSON.parse(row?.draft ?? '')).toMatchObject({ mandate, slot });
  });

  it('is placed once where the same is sent twice', async () => {
    await granted();
    const key = randomUUID();
    const [first, second] = await Promise.all([alice.propose(order(), key), alice.propose(order(), key)]);
    expect(second.id).toBe(first.id);
    await alice.until(first.id, 'executed');
    expect((await mandates())[0]?.used.orders).toBe(1);
  });

  it('takes its slot once, whatever the agent remembers', async () => {
    await granted({ cadence: 'daily' });
    await alice.until((await alice.propose(order())).id, 'executed');
    // With a key of its own: as an agent does that has lost all that it knew.
    expect(await send(order({}, never))).toMatchObject(refusedWith('MANDATE_SLOT_USED'));
    await alice.until((await alice.propose(order({ symbol: 'PEP' }, never))).id, 'executed');
  });

  it('that its owner’s rules forbid is refused by them', async () => {
    await granted();
    limits = () => ({ max_order_notional: '10' });
    expect(await send(order({}, never))).toMatchObject(refusedWith('NOTIONAL_EXCEEDS_MAX_PER_ORDER'));
    expect(await send(order())).toMatchObject(refusedWith('NOTIONAL_EXCEEDS_MAX_PER_ORDER'));
  });

  it('is carried out no more once trading is halted', async () => {
    await granted();
    await alice.send('PUT', '/v1/halt', {});
    expect(await send(order({}, never))).toMatchObject(refusedWith('TRADING_HALTED'));
    await alice.approved({ kind: 'lift', lift: {} });
  });
});

describe('an order outside of a mandate', () => {
  const denied = async (request: ProposalRequestInput, reason: string) => {
    const before = askedAtProvider();
    expect(await send({ ...request, ...never } as ProposalRequestInput)).toMatchObject(refusedWith(reason));
    expect(askedAtProvider()).toBe(before);
    const fell = await alice.propose(request);
    expect(fell).toMatchObject({
      state: 'requested',
      warnings: expect.arrayContaining([expect.stringContaining(reason)]),
    });
    expect(fell.subject).not.toHaveProperty('mandate');
    expect(fell.subject).not.toHaveProperty('slot');
    expect(askedAtProvider()).toBe(before + 1);
    const [shown] = await world.phone.requests('alice');
    expect(JSON.stringify(shown)).toContain(reason);
    await alice.send('DELETE', `/v1/proposals/${fell.id}`);
  };

  it('is asked about, with its reason; or refused, where nobody is to be asked', async () => {
    await granted({ price: { KO: { max: '30' } }, cadence: 'weekly' });
    const week = currentSlot('weekly', Date.now() + 7 * DAY);
    await denied(order({ symbol: 'AAPL', limit_price: '1.00' }), 'MANDATE_SYMBOL_NOT_COVERED');
    await denied(
      order({ type: 'stop', limit_price: undefined, stop_price: '90.00' } as never),
      'MANDATE_TYPE_NOT_COVERED',
    );
    await denied(order({ time_in_force: 'gtc' }), 'MANDATE_TIME_IN_FORCE_NOT_COVERED');
    await denied(order({ qty: '11' }), 'MANDATE_NOTIONAL_EXCEEDS_PER_ORDER');
    await denied(order({ limit_price: '30.01' }), 'MANDATE_PRICE_OUTSIDE_BAND');
    await denied(order({ max_slippage: '0.02' }), 'MANDATE_SLIPPAGE_EXCEEDS_MAX');
    await denied(order({}, { slot: week }), 'MANDATE_SLOT_MISMATCH');
    digest = '2'.repeat(43);
    await denied(order(), 'MANDATE_POLICY_CHANGED');
  });

  it('is asked about where it is in nobody’s own words, or text from outside may be behind it', async () => {
    await granted();
    const user = { source: 'user' } as const;
    const computed = { source: 'computed', from: 'half of the position' } as const;
    const other = (from: string) => ({ fields: { symbol: user, qty: { source: 'other', from } } });
    const tainted = { fields: { symbol: user }, tainted_by: ['standard input', 'read_page'] };
    await denied(order({}, { provenance: tainted }), 'PROVENANCE_TAINTED');
    await denied(order({}, { provenance: other('model') }), 'PROVENANCE_OTHER');
    await denied(order({}, { provenance: other('read_page') }), 'PROVENANCE_OTHER');
    // A program that doesn't say where its fields come from.
    await denied(order({}, { provenance: undefined }), 'PROVENANCE_OTHER');
    const { body } = await send(order({ symbol: 'AAPL' }, { ...never, provenance: tainted }));
    const reasons = ['PROVENANCE_TAINTED', 'MANDATE_SYMBOL_NOT_COVERED'];
    expect(body).toMatchObject({
      reason: 'PROVENANCE_TAINTED',
      reasons,
      detail: expect.stringContaining('standard input, read_page'),
    });
    const { decisions } = (await alice.send('GET', '/v1/decisions?effect=deny&limit=1')).body;
    expect(decisions).toMatchObject([{ action: 'place', stage: 'proposal', reasons, policy: digest }]);
    const said = { fields: { symbol: user, qty: computed, side: { source: 'default' } } };
    await alice.until((await alice.propose(order({}, { ...never, provenance: said }))).id, 'executed');
  });

  it('is asked about where there is no mandate at all', async () => {
    await denied(order(), 'MANDATE_NOT_FOUND');
  });

  it('is asked about once its day, its orders or all of it are used', async () => {
    const spend = async (changes: object) => alice.until((await alice.propose(order(changes))).id, 'executed');
    const exactly = { qty: '10', limit_price: '20.00' };
    await granted({ max_day_notional: '200', max_total_notional: '600' });
    await spend(exactly);
    await denied(order({ symbol: 'PEP', qty: '1', limit_price: '0.01' }), 'MANDATE_NOTIONAL_EXCEEDS_PER_DAY');
    await granted({ max_total_notional: '200' });
    await spend({ ...exactly, symbol: 'PEP' });
    expect((await mandates())[0]?.state).toBe('exhausted');
    await denied(
      order({ qty: '1', limit_price: '0.02' }, { mandate: (await mandates())[0]?.id }),
      'MANDATE_NOTIONAL_EXCEEDS_TOTAL',
    );
    const one = await granted({ max_orders: 1 });
    await alice.until((await alice.propose(order({ qty: '2' }, { mandate: one }))).id, 'executed');
    await denied(order({}, { mandate: one }), 'MANDATE_ORDERS_EXHAUSTED');
  });
});

it('covers nothing that comes by another key, of the same person’s', async () => {
  const mandate = await granted();
  const other = await world.as('alice', 'another-machine');
  const theirs = await send(order({}, { mandate, ...never }), randomUUID(), other);
  expect(theirs).toMatchObject(refusedWith('MANDATE_KEY_MISMATCH'));
  const [asked] = [await other.propose(order({ qty: '3' }))];
  expect(asked).toMatchObject({
    state: 'requested',
    warnings: expect.arrayContaining([expect.stringContaining('MANDATE_KEY_MISMATCH')]),
  });
  await other.send('DELETE', `/v1/proposals/${asked.id}`);
});

describe('there is no way to a mandate', () => {
  it('by a route that makes, widens or resumes one', async () => {
    const mandate = await granted();
    for (const [method, path] of [
      ['POST', '/v1/mandates'],
      ['PUT', `/v1/mandates/${mandate}`],
      ['PATCH', `/v1/mandates/${mandate}`],
      ['POST', `/v1/mandates/${mandate}`],
      ['DELETE', `/v1/mandates/${mandate}/suspension`],
    ]) {
      const answer = await alice.send(method ?? '', path ?? '', { max_total_notional: '1000000' });
      expect(answer.status, `${method} ${path}`).toBe(404);
    }
    expect((await mandates()).find(({ id }) => id === mandate)?.terms.max_total_notional).toBe('600.00');
  });

  it('by a tool: the agent’s, or another’s over MCP', () => {
    const names = [
      ...tools.map(({ name }) => name),
      ...listToolsForCaller({ scopes: new Set<string>(SCOPES) }, false).map(({ name }) => name),
    ];
    expect(names.length).toBeGreaterThan(10);
    expect(names.filter((name) => /mandate/.test(name))).toEqual([]);
    expect(placeOrder.schema.safeParse({ symbol: 'KO', side: 'buy', qty: '1', mandate: 'any' }).success).toBe(false);
    expect(MCP_SCOPES).not.toContain('orders:mandate');
  });
});

describe('what ends a mandate', () => {
  it.each([
    ['suspended', 'PUT', '/suspension'],
    ['revoked', 'DELETE', ''],
  ])('%s, it covers the next order no more', async (state, method, path) => {
    const mandate = await granted();
    await alice.until((await alice.propose(order())).id, 'executed');
    expect(await alice.send(method, `/v1/mandates/${mandate}${path}`)).toMatchObject({
      status: 200,
      body: { id: mandate, state },
    });
    const began = Date.now();
    expect(await send(order({}, { mandate, ...never }))).toMatchObject(refusedWith('MANDATE_NOT_ACTIVE'));
    expect(Date.now() - began).toBeLessThan(1000);
    await expect
      .poll(world.record)
      .toContainEqual(expect.objectContaining({ event: `mandate_${state}`, mandate, by: 'trade-agent' }));
  });

  it('a revoked one stays so', async () => {
    const mandate = await granted();
    await alice.send('DELETE', `/v1/mandates/${mandate}`);
    expect((await alice.send('DELETE', `/v1/mandates/${mandate}`)).status).toBe(200);
    expect(await alice.send('PUT', `/v1/mandates/${mandate}/suspension`)).toMatchObject({
      status: 409,
      body: { code: 'mandate_ended' },
    });
  });
});

it('survives a restart: what it covered is covered, what it used is used', async () => {
  const mandate = await granted({ cadence: 'daily' });
  await alice.until((await alice.propose(order())).id, 'executed');
  await world.restart();
  expect((await mandates()).find(({ id }) => id === mandate)).toMatchObject({
    state: 'active',
    used: { orders: 1 },
  });
  expect(await send(order({}, never))).toMatchObject(refusedWith('MANDATE_SLOT_USED'));
  const placed: Proposal = await alice.propose(order({ symbol: 'PEP' }, never));
  await alice.until(placed.id, 'executed');
});
