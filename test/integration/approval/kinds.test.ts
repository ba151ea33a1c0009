import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Proposal, ProposalRequestInput } from '../../../src/trading/proposal.ts';
import type { Order } from '../../../src/trading/views.ts';
import { knowRecipients } from '../../fixtures/known-recipients.ts';
import { type Person, type ProposalWorld, startProposalWorld } from './world.ts';

const limit = (price: string, qty = '1'): ProposalRequestInput => ({
  kind: 'order',
  order: { symbol: 'KO', side: 'buy', qty, type: 'limit', limit_price: price },
});

describe('each kind of proposal', () => {
  let world: ProposalWorld;
  let alice: Person;
  beforeAll(async () => {
    world = await startProposalWorld();
    alice = await world.as('alice');
  });
  afterAll(() => world.close());

  const decided = async (request: ProposalRequestInput, decision: 'approve' | 'deny'): Promise<Proposal> => {
    const { id, code } = await alice.propose(request);
    await alice.tap(code, decision);
    return alice.until(id, decision === 'approve' ? 'executed' : 'denied');
  };
  const orderAt = async (price: string): Promise<Order> => (await decided(limit(price), 'approve')).result as Order;
  const inBook = (id: string) => world.sandbox.broker.book().find((order) => order.id === id);

  it('a cancel is carried out when it is approved, and not when it is denied', async () => {
    const { id } = await orderAt('20.01');
    const denied = await decided({ kind: 'cancel', cancel: { order_id: id } }, 'deny');
    expect(denied.kind).toBe('cancel');
    expect(inBook(id)?.status).not.toBe('canceled');
    const approved = await decided({ kind: 'cancel', cancel: { order_id: id } }, 'approve');
    expect(approved).toMatchObject({
      again: 2,
      subject: { order: { id, limit_price: '20.01' }, protects: false },
      result: { id, status: 'canceled' },
    });
    expect(inBook(id)?.status).toBe('canceled');
  });

  it('a cancel of what is cancelled already is refused before the phone rings', async () => {
    const { id } = await orderAt('20.02');
    expect((await alice.send('DELETE', `/v1/orders/${id}`)).status).toBeLessThan(300);
    const refused = await alice.ask({ kind: 'cancel', cancel: { order_id: id } });
    expect(refused).toMatchObject({ status: 409, body: { code: 'not_cancelable' } });
  });

  it('a replacement is made once when it is approved, and not when it is denied', async () => {
    const { id } = await orderAt('20.03');
    const request: ProposalRequestInput = {
      kind: 'replace',
      replace: { order_id: id, limit_price: '20.04' },
    };
    await decided(request, 'deny');
    expect(inBook(id)?.limit_price).toBe('20.03');
    const before = world.sandbox.broker.book().length;
    const { result, worst_case } = await decided(request, 'approve');
    expect(result).toMatchObject({ limit_price: '20.04', qty: '1' });
    expect(worst_case).toMatchObject({ cash: '20.04' });
    expect(world.sandbox.broker.book()).toHaveLength(before + 1);
    expect(inBook(id)?.status).toBe('replaced');
  });

  it('a halt stops proposals, takes back open ones, and ends by its owner’s tap alone', async () => {
    const open = await alice.propose(limit('20.05'));
    expect((await alice.send('PUT', '/v1/halt')).body).toMatchObject({ halted: true });
    expect(await alice.proposal(open.id)).toMatchObject({
      state: 'cancelled',
      reason: { code: 'policy_denied', members: { reason: 'TRADING_HALTED' } },
    });
    const refused = await alice.ask(limit('20.06'));
    expect(refused).toMatchObject({
      status: 403,
      body: { code: 'policy_denied', reason: 'TRADING_HALTED', reasons: ['TRADING_HALTED'] },
    });
    const lift: ProposalRequestInput = { kind: 'lift', lift: {} };
    await decided(lift, 'deny');
    // Its payload says nothing, so that it can be left out; a payload that says something is refused.
    const named = (payload: object) => ({ kind: 'lift', ...payload }) as ProposalRequestInput;
    expect(await alice.ask(named({ lift: { force: true } }))).toMatchObject({ status: 400 });
    await decided(named({}), 'deny');
    expect((await alice.send('GET', '/v1/halt')).body).toMatchObject({ halted: true });
    await world.restart();
    expect((await alice.send('GET', '/v1/halt')).body).toMatchObject({ halted: true });
    await decided(lift, 'approve');
    expect((await alice.send('GET', '/v1/halt')).body).toMatchObject({ halted: false, state: 'active' });
    await decided(limit('20.07'), 'approve');
  });

  it('a message goes out once when it is approved, not when it is denied, and not unconnected', async () => {
    const request: ProposalRequestInput = {
      kind: 'message',
      message: { service: 'slack', recipient: '#trading', text: 'Sold 5 KO.' },
    };
    const unknown = await alice.ask(request);
    expect(unknown).toMatchObject({ status: 403, body: { code: 'policy_denied', reason: 'RECIPIENT_NOT_KNOWN' } });
    knowRecipients(world.sandbox.ready.home, 'slack:#trading');
    const refused = await alice.ask(request);
    expect(refused).toMatchObject({ status: 409, body: { code: 'account_not_connected' } });
    await alice.connect('slack', ['chat:write']);
    await decided(request, 'deny');
    expect(world.sandbox.sentMessages()).toEqual([]);
    const sent = await decided(request, 'approve');
    expect(sent).toMatchObject({ worst_case: null, again: 2, subject: { text: 'Sold 5 KO.' } });
    expect(world.sandbox.sentMessages()).toHaveLength(1);
    expect(JSON.stringify(world.sandbox.sentMessages())).toContain('Sold 5 KO.');
  });
});

describe('a proposal that could not be carried out is refused before the phone rings', () => {
  let world: ProposalWorld;
  let alice: Person;
  /** 2026-11-29, a Sunday, 15:00 in New York. */
  const sunday = Date.parse('2026-11-29T20:00:00Z') - Date.now();
  beforeAll(async () => {
    world = await startProposalWorld({
      marketHours: 'exchange',
      marketClock: {
        now: () => Date.now() + sunday,
        monotonic: () => Date.now() + sunday,
        sleep: () => Promise.reject(new Error('nobody waits')),
      },
    });
    alice = await world.as('alice');
  });
  afterAll(() => world.close());

  const refused = (body: object, key: string | undefined = randomUUID()) =>
    alice.send('POST', '/v1/proposals', body, key === undefined ? {} : { 'idempotency-key': key });
  const buy = (order: object, more: object = {}) => ({
    kind: 'order',
    order: { symbol: 'KO', side: 'buy', qty: '1', ...order },
    ...more,
  });

  it.each([
    ['malformed', { kind: 'order', order: { symbol: 'KO' } }, 400, 'invalid_proposal'],
    ['of no kind', { kind: 'loan', loan: {} }, 400, 'invalid_proposal'],
    ['with a ttl below a minute', buy({}, { ttl: 59 }), 400, 'invalid_proposal'],
    ['with text that could pass for other text', buy({}, { requested_by: 'ch\u0430t' }), 400, 'invalid_proposal'],
    ['for a market that is closed', buy({}), 409, 'market_closed'],
    ['for the other environment', buy({ environment: 'live' }), 403, 'environment_mismatch'],
    ['for a symbol there is none of', buy({ symbol: 'NONE' }), 422, 'unknown_symbol'],
    ['about an order there is none of', { kind: 'cancel', cancel: { order_id: 'none' } }, 404, 'not_found'],
    ['to end a halt there is none of', { kind: 'lift', lift: {} }, 409, 'not_halted'],
  ])('%s', async (_, body, status, code) => {
    expect(await refused(body)).toMatchObject({ status, body: { status, code } });
    expect(await world.phone.allRequests('alice')).toEqual([]);
  });

  it.each([undefined, '', 'a b', 'x'.repeat(65), 'é'])('with the Idempotency-Key %j', async (key) => {
    const headers: Record<string, string> = key === undefined ? {} : { 'idempotency-key': encodeURI(key) };
    const answer = await alice.send('POST', '/v1/proposals', buy({}), headers);
    expect(answer).toMatchObject({ status: 400, body: { code: 'idempotency_key_missing' } });
  });

  it('beyond what the account has, with the limit and the value', async () => {
    const answer = await refused(buy({ qty: '1000000', type: 'limit', limit_price: '50', time_in_force: 'gtc' }));
    expect(answer).toMatchObject({
      status: 422,
      body: { code: 'insufficient_funds', value: '50000000.00', limit: expect.stringMatching(/^\d+\.\d\d$/) },
    });
  });
});
