import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ProposalRequestInput } from '../../src/trading/proposal.ts';
import { type Person, type ProposalWorld, startProposalWorld } from '../integration/approval/world.ts';
import { openFgaBinary } from './openfga-binary.ts';
import { type FgaStore, type OpenFga, PRESHARED_KEY, startOpenFga, type Tuple } from './openfga-server.ts';
import { ownerOf } from './tuples.ts';

const found = await openFgaBinary();
if ('missing' in found) process.stderr.write(`Skipped: ${found.missing}.\n`);

const engagement: Tuple = { user: 'firm:acme', relation: 'firm', object: 'account:alice' };
let server: OpenFga;
let store: FgaStore;
let world: ProposalWorld;
let alice: Person;
let bob: Person;
let next = 0;

beforeAll(async () => {
  if ('missing' in found) return;
  server = await startOpenFga(found.binary);
  store = await server.newStore();
  await store.write(...[ownerOf('alice'), ownerOf('bob'), engagement], {
    user: 'user:bob',
    relation: 'advisor',
    object: 'firm:acme',
  });
  world = await startProposalWorld({
    credentials: 'key_pair',
    relations: {
      kind: 'openfga',
      ...{ url: server.url, store: store.store, model: store.model },
      secret: { key: PRESHARED_KEY },
    },
  });
  [alice, bob] = [await world.as('alice'), await world.as('bob')];
});
afterAll(async () => {
  await world?.close();
  await server?.kill();
});

const buy = (): ProposalRequestInput => ({
  kind: 'order',
  order: { symbol: 'AAPL', side: 'buy', qty: String(++next), type: 'limit', limit_price: '1.00' },
  for: 'alice',
});
const placed = () => world.sandbox.broker.book().filter(({ client_order_id }) => /^ta-/.test(client_order_id));
const propose = (who: Person, request: unknown) =>
  who.send('POST', '/v1/proposals', request, { 'idempotency-key': `k${++next}` });

// One firm's way with an account; each step stands on the one before.
describe.skipIf('missing' in found)('a gateway that asks OpenFGA', () => {
  it('lets an engaged firm’s advisor look, and propose what its owner approves', async () => {
    expect((await bob.send('GET', '/v1/account?for=alice')).status).toBe(200);
    const proposal = await bob.propose(buy());
    await alice.tap(proposal.code);
    await bob.until(proposal.id, 'executed');
    expect(placed()).toHaveLength(1);
  });

  it('keeps nothing of its own about who may what', async () => {
    expect((await alice.send('GET', '/v1/access')).body).toMatchObject({ kept: 'elsewhere', granted: [] });
    expect((await propose(alice, { kind: 'access', access: { role: 'viewer', who: 'bob' } })).body).toMatchObject({
      code: 'service_not_available',
    });
  });

  it('carries nothing out for an engagement that ended between proposal and tap', async () => {
    const proposal = await bob.propose(buy());
    await store.delete(engagement);
    await alice.tap(proposal.code);
    expect((await bob.until(proposal.id, 'blocked')).reason).toMatchObject({
      code: 'policy_denied',
      members: { reason: 'RELATION_DENIED' },
    });
    expect(placed()).toHaveLength(1);
    expect((await bob.send('GET', '/v1/account?for=alice')).status).toBe(403);
  });

  it('takes no contextual tuple of a caller’s', async () => {
    const contextual_tuples = { tuple_keys: [engagement] };
    expect((await propose(bob, { ...buy(), contextual_tuples })).body).toMatchObject({
      code: 'invalid_proposal',
    });
    const headers = { 'contextual-tuples': JSON.stringify(contextual_tuples) };
    expect((await bob.send('GET', '/v1/account?for=alice', undefined, headers)).status).toBe(403);
    expect((await propose(bob, buy())).body).toMatchObject({ reason: 'RELATION_DENIED' });
  });

  it('refuses within a second where it is dead, the owner too', async () => {
    const { for: _, ...own } = buy();
    const waiting = await alice.propose(own);
    await server.kill();
    for (const [who, request] of [
      [bob, buy()],
      [alice, own],
    ] as const) {
      const started = performance.now();
      expect((await propose(who, request)).body).toMatchObject({ reason: 'RELATION_UNAVAILABLE' });
      expect(performance.now() - started).toBeLessThan(1000);
    }
    await alice.tap(waiting.code);
    expect((await alice.until(waiting.id, 'blocked')).reason?.members).toMatchObject({
      reason: 'RELATION_UNAVAILABLE',
    });
    expect(placed()).toHaveLength(1);
    // One's own account is one's own to look at.
    expect((await alice.send('GET', '/v1/account')).status).toBe(200);
  });
});
