import { beforeEach, expect, it } from 'vitest';
import type { Caller } from '../../../src/gateway/auth/caller.ts';
import { orderDigest } from '../../../src/trading/approval-details.ts';
import { type DeskWorld, startDesk } from './support/desk.ts';

const CLIENT = 'trade-agent-acme';

let world: DeskWorld;
beforeEach(async () => {
  world = await startDesk();
});

/** Carries out what a company's client proposed a moment ago. */
function place(proposer: Partial<NonNullable<Caller['proposer']>> = {}) {
  const draft = world.draft();
  const at = world.clock.now() - 1_000;
  const caller = world.caller({ proposer: { sub: 'alice', client: CLIENT, at, ...proposer } });
  return { draft, placed: () => world.desk.placeApproved({ draft, digest: orderDigest(draft) }, caller) };
}
/** Once an order is claimed, a signal of the company's comes. */
const signalComes = () => {
  const before = world.clock.now();
  world.onClaimed = async () => {
    world.isRevokedBySignal = async ({ sub, client }, at) => sub === 'alice' && client === CLIENT && at < before;
  };
};

it('an order that is claimed when its company ends the sign-in it came by is not placed, and never will be', async () => {
  signalComes();
  const { draft, placed } = place();
  const notPlaced = { code: 'not_placed', options: { members: { reason: 'PRINCIPAL_REVOKED' } } };
  await expect(placed()).rejects.toMatchObject(notPlaced);
  expect(world.alpaca.submissions).toEqual([]);
  expect(await world.journal.find('alice', draft.client_order_id)).toMatchObject({ state: 'rejected' });
  world.isRevokedBySignal = async () => false;
  await expect(placed()).rejects.toMatchObject({ code: 'not_placed' });
  expect(world.alpaca.submissions).toEqual([]);
});

it.each([
  ['by another client', { client: 'trade-agent' }],
  ['since', { at: Number.MAX_SAFE_INTEGER }],
])('what was proposed %s goes out', async (_, proposer) => {
  signalComes();
  const { placed } = place(proposer);
  await placed();
  expect(world.alpaca.submissions).toHaveLength(1);
});
