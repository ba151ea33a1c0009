import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createStaticRulesSource } from '../../../src/gateway/policy/rules.ts';
import { createGatewayClient } from '../../../src/tools/gateway/gateway-client.ts';
import type { ProposalRequestInput } from '../../../src/trading/proposal.ts';
import { type Person, type ProposalWorld, startProposalWorld } from './world.ts';

const TAKES_TWO = '2000';

let world: ProposalWorld;
let alice: Person;
let bob: Person;
let numbers: { alice: string; bob: string };
let next = 0;

beforeAll(async () => {
  world = await startProposalWorld({
    credentials: 'key_pair',
    rules: createStaticRulesSource({ version: 1, accounts: { '*': { second_person_above: TAKES_TWO } } }),
    quotas: { own: { open: 20, hour: 500 }, other: { open: 20, hour: 500 } },
  });
  [alice, bob] = [await world.as('alice'), await world.as('bob')];
  const numberOf = async (who: Person) => String((await who.send('GET', '/v1/account')).body.account);
  numbers = { alice: await numberOf(alice), bob: await numberOf(bob) };
});
afterAll(() => world.close());
afterEach(async () => {
  const { granted } = (await alice.send('GET', '/v1/access')).body as { granted: { id: string }[] };
  for (const { id } of granted) await alice.send('DELETE', `/v1/access/${id}`);
  for (const who of [alice, bob]) {
    const { proposals } = (await who.send('GET', '/v1/proposals')).body as { proposals: { id: string }[] };
    for (const { id } of proposals) await who.send('DELETE', `/v1/proposals/${id}`);
  }
});

const buy = (more: Partial<ProposalRequestInput> = {}, limit = '1.00'): ProposalRequestInput =>
  ({
    kind: 'order',
    order: { symbol: 'AAPL', side: 'buy', qty: String(++next), type: 'limit', limit_price: limit },
    ...more,
  }) as ProposalRequestInput;
const forAlice = { for: 'alice' };
const refused = async (who: Person, request: unknown) => (await who.ask(request, `k${++next}`)).body;
const codesAt = async (user: string) => (await world.phone.requests(user)).map(({ code }) => code);
const placed = () => world.sandbox.broker.book().filter(({ client_order_id }) => /^ta-/.test(client_order_id));

/** Alice lets bob in, and approves that on her phone. */
async function letIn(role: string, more: object = {}): Promise<string> {
  const access = { role, who: 'bob', ...more };
  const { result } = await alice.approved({ kind: 'access', access } as ProposalRequestInput);
  return (result as { access: string }).access;
}

describe('somebody else’s account', () => {
  it('is opened by its owner’s tap alone, and closed by their word', async () => {
    const access = { role: 'viewer', who: 'bob' };
    const asked = await alice.propose({ kind: 'access', access } as ProposalRequestInput);
    expect((await bob.send('GET', '/v1/account?for=alice')).status).toBe(403);
    await alice.tap(asked.code);
    await alice.until(asked.id, 'executed');
    expect((await bob.send('GET', '/v1/account?for=alice')).body).toMatchObject({ account: numbers.alice });
    expect((await bob.send('GET', '/v1/account')).body).toMatchObject({ account: numbers.bob });
    expect((await bob.send('GET', '/v1/access')).body).toMatchObject({
      granted: [],
      given: [{ account: 'alice', role: 'viewer', who: 'bob', in_force: true }],
    });
    // A viewer looks, and that is all.
    expect(await refused(bob, buy(forAlice))).toMatchObject({ reason: 'RELATION_DENIED' });
    expect((await bob.send('PUT', '/v1/halt?for=alice')).status).toBe(403);
    const { granted } = (await alice.send('GET', '/v1/access')).body as { granted: { id: string }[] };
    expect((await alice.send('DELETE', `/v1/access/${granted[0]?.id}`)).status).toBe(204);
    expect((await alice.send('DELETE', `/v1/access/${granted[0]?.id}`)).status).toBe(404);
    expect((await bob.send('GET', '/v1/account?for=alice')).status).toBe(403);
  });

  it.each<[string, object, string]>([
    ['oneself', { role: 'advisor', who: 'alice' }, 'who'],
    ['a member of nothing', { role: 'member', who: 'bob' }, 'access.of'],
    ['a viewer of a firm', { role: 'viewer', who: 'bob', of: 'acme' }, 'access.of'],
    ['what is over', { role: 'viewer', who: 'bob', until: '2020-01-01T00:00:00Z' }, 'until'],
    ['a role there is none of', { role: 'owner', who: 'bob' }, 'access.role'],
  ])('is not opened to %s', async (_, access, field) => {
    expect(await refused(alice, { kind: 'access', access })).toMatchObject({
      code: 'invalid_proposal',
      fields: [field],
    });
  });

  it('is not opened to a name that nobody has', async () => {
    const access = { role: 'advisor', who: 'bbo' };
    expect(await refused(alice, { kind: 'access', access })).toMatchObject({ code: 'not_found' });
  });

  it('is opened by nobody for its owner', async () => {
    await letIn('co_owner');
    const access = { role: 'advisor', who: 'bob' };
    expect(await refused(bob, { kind: 'access', access, ...forAlice })).toMatchObject({
      reason: 'RELATION_DENIED',
    });
  });

  it('given up by who was let in is closed', async () => {
    const id = await letIn('viewer');
    expect((await bob.send('DELETE', `/v1/access/${id}`)).status).toBe(204);
    expect((await alice.send('GET', '/v1/access')).body).toMatchObject({ granted: [] });
  });
});

describe('an advisor', () => {
  it('proposes, and the owner’s phone rings, not theirs; the order is in the owner’s account', async () => {
    await letIn('advisor');
    const proposal = await bob.propose(buy(forAlice));
    expect(proposal).toMatchObject({
      state: 'requested',
      for: 'alice',
      proposed_by: 'bob',
      requested_by: 'bob',
    });
    expect(await codesAt('alice')).toContain(proposal.code);
    expect(await codesAt('bob')).not.toContain(proposal.code);
    const card = (await world.phone.requests('alice')).find(({ code }) => code === proposal.code);
    expect(JSON.stringify(card)).toContain('Proposed by');
    await alice.tap(proposal.code);
    // Whoever proposed it sees what came of it.
    expect((await bob.until(proposal.id, 'executed')).result).toMatchObject({ symbol: 'AAPL' });
    expect(placed().at(-1)).toMatchObject({ account_number: numbers.alice });
    expect(await alice.proposal(proposal.id)).toMatchObject({ id: proposal.id, state: 'executed' });
  });

  it('can’t approve it by a phone of their own', async () => {
    await letIn('advisor');
    const proposal = await bob.propose(buy(forAlice));
    const request = (await world.phone.requests('alice')).find(({ code }) => code === proposal.code);
    const before = placed().length;
    expect(await world.phone.allRequests('bob')).not.toContainEqual(expect.objectContaining({ id: request?.id }));
    expect((await bob.proposal(proposal.id)).state).toBe('requested');
    expect(placed()).toHaveLength(before);
  });

  it('whose engagement ended between proposal and tap trades nothing, and the approval is unused', async () => {
    const id = await letIn('advisor');
    const proposal = await bob.propose(buy(forAlice));
    const before = placed().length;
    await alice.send('DELETE', `/v1/access/${id}`);
    await alice.tap(proposal.code);
    expect((await bob.until(proposal.id, 'blocked')).reason).toMatchObject({
      code: 'policy_denied',
      members: { reason: 'RELATION_DENIED' },
    });
    expect(placed()).toHaveLength(before);
    // Each refusal is in a log: this one in the owner's, and in one's own where one has no part in the account any more.
    const denied = async (who: Person) => (await who.send('GET', '/v1/decisions?effect=deny&limit=1')).body;
    const facts = { owner: 'alice', proposer: 'bob' };
    const noted = { action: 'place', reasons: ['RELATION_DENIED'], facts };
    expect(await denied(alice)).toMatchObject({ decisions: [{ ...noted, stage: 'order' }] });
    expect(await refused(bob, buy(forAlice))).toMatchObject({ reason: 'RELATION_DENIED' });
    expect(await denied(bob)).toMatchObject({ decisions: [{ ...noted, stage: 'proposal' }] });
    expect(await denied(alice)).toMatchObject({ decisions: [{ stage: 'order' }] });
  });

  it('of a firm is one for as long as the firm is engaged', async () => {
    await letIn('advisor', { of: 'acme' });
    expect(await refused(bob, buy(forAlice))).toMatchObject({ reason: 'RELATION_DENIED' });
    const firm = { role: 'firm', who: 'acme' };
    const { result } = await alice.approved({ kind: 'access', access: firm } as ProposalRequestInput);
    expect(await bob.propose(buy(forAlice))).toMatchObject({ for: 'alice' });
    await alice.send('DELETE', `/v1/access/${(result as { access: string }).access}`);
    expect(await refused(bob, buy(forAlice))).toMatchObject({ reason: 'RELATION_DENIED' });
  });

  it('gets nothing by tuples, roles or names of their own', async () => {
    const tuple = { user: 'user:bob', relation: 'advisor', object: 'account:alice' };
    for (const more of [
      { contextual_tuples: { tuple_keys: [tuple] } },
      { relations: { can_propose: true } },
      { proposed_by: 'alice' },
      { context: { now: '2020-01-01T00:00:00Z' } },
    ]) {
      expect(await refused(bob, { ...buy(forAlice), ...more })).toMatchObject({ code: 'invalid_proposal' });
    }
    const headers = { 'x-contextual-tuples': JSON.stringify([tuple]), 'x-forwarded-user': 'alice' };
    expect((await bob.send('GET', '/v1/account?for=alice', undefined, headers)).status).toBe(403);
    expect((await bob.send('GET', '/v1/account?for=alice&for=bob')).body).toMatchObject({
      code: 'invalid_query',
    });
  });

  it('halts the owner’s trading, and not their own', async () => {
    await letIn('advisor');
    expect((await bob.send('PUT', '/v1/halt?for=alice')).body).toMatchObject({ halted: true });
    expect((await bob.send('GET', '/v1/halt')).body).toMatchObject({ halted: false });
    expect(await refused(alice, buy())).toMatchObject({ reason: 'TRADING_HALTED' });
    expect(await refused(bob, { kind: 'lift', lift: {}, ...forAlice })).toMatchObject({
      reason: 'RELATION_DENIED',
    });
    await alice.approved({ kind: 'lift', lift: {} });
  });
});

describe('a profile that is about somebody else’s account', () => {
  it('looks, proposes, cancels and halts there, and keeps messages to oneself', async () => {
    await letIn('advisor');
    const profile = { ...bob.session.profile, account_of: 'alice' };
    const gateway = createGatewayClient({ fetch: bob.session.fetch, profile });
    expect(await gateway.account()).toMatchObject({ account: numbers.alice });
    expect(await gateway.positions()).toBeInstanceOf(Array);
    const { kind, order } = buy() as Extract<ProposalRequestInput, { kind: 'order' }>;
    const proposal = await gateway.propose({ kind, order }, `k${++next}`);
    expect(proposal).toMatchObject({ for: 'alice', proposed_by: 'bob' });
    await alice.tap(proposal.code);
    const { result } = await bob.until(proposal.id, 'executed');
    const { id } = result as { id: string };
    expect(await gateway.orders()).toContainEqual(expect.objectContaining({ id }));
    expect(await gateway.cancelOrder(id)).toMatchObject({ id, status: 'canceled' });
    expect(await gateway.halted()).toMatchObject({ halted: false });
    const message = { service: 'slack', recipient: '#trading', text: 'hello' } as const;
    const sent = await gateway.propose({ kind: 'message', message }, `k${++next}`).catch((error: unknown) => error);
    // Bob's own affair: about alice's account it would be refused by that name.
    expect(JSON.stringify(sent)).not.toContain('RELATION_DENIED');
  });
});

describe('what comes to more than one may approve', () => {
  const large = (): ProposalRequestInput =>
    ({
      kind: 'order',
      order: {
        symbol: 'AAPL',
        side: 'buy',
        qty: '3000',
        type: 'limit',
        limit_price: `1.${10 + (++next % 80)}`,
      },
    }) as ProposalRequestInput;

  it('is not proposed where there is nobody to be the second', async () => {
    expect(await refused(alice, large())).toMatchObject({
      code: 'policy_denied',
      reason: 'APPROVAL_NEEDS_SECOND',
    });
    await letIn('advisor');
    expect(await refused(alice, large())).toMatchObject({ reason: 'APPROVAL_NEEDS_SECOND' });
  });

  it('is carried out once both have signed one digest, each on their own phone', async () => {
    await letIn('co_owner');
    const before = placed().length;
    const proposal = await alice.propose(large());
    expect(proposal.approval).toMatchObject({ second: { person: 'bob', owner_approved: false } });
    expect(await codesAt('bob')).not.toContain(proposal.code);
    await alice.tap(proposal.code);
    await bob.tap(proposal.code);
    await alice.until(proposal.id, 'executed');
    expect(placed()).toHaveLength(before + 1);
    expect(placed().at(-1)).toMatchObject({ account_number: numbers.alice });
    const record = world.record();
    const signed = record.filter(({ event, approval }) => event === 'signed' && approval === proposal.id);
    expect(signed.map(({ sub }) => sub)).toEqual(['alice', 'bob']);
    expect(new Set(signed.map(({ digest }) => digest)).size).toBe(1);
    // Each token told of a passkey: what `live.acr` would ask for.
    const { decisions } = (await alice.send('GET', '/v1/decisions?effect=allow&limit=1')).body;
    expect(decisions).toMatchObject([{ facts: { more: { 'approval.acr': ['phr', 'phr'] } } }]);
    expect(new Set(signed.map(({ credential_id }) => credential_id)).size).toBe(2);
  });

  it('stays open after the first yes, also over a restart, and ends by the second’s no', async () => {
    await letIn('co_owner');
    const before = placed().length;
    const proposal = await alice.propose(large());
    await alice.tap(proposal.code);
    await expect.poll(async () => (await alice.proposal(proposal.id)).approval.second?.owner_approved).toBe(true);
    expect((await alice.proposal(proposal.id)).state).toBe('requested');
    await world.restart();
    await bob.tap(proposal.code, 'deny');
    expect((await alice.until(proposal.id, 'denied')).reason?.text).toMatch(/second approver/);
    expect(placed()).toHaveLength(before);
  });
});
