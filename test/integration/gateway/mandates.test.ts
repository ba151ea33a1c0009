import { beforeEach, describe, expect, it } from 'vitest';
import type { Caller } from '../../../src/gateway/auth/caller.ts';
import type { OrderService } from '../../../src/gateway/orders/place-order.ts';
import { createStaticRulesSource } from '../../../src/gateway/policy/rules.ts';
import { formatUtcSeconds } from '../../../src/machine/clock.ts';
import { orderDigest } from '../../../src/trading/approval-details.ts';
import { currentSlot } from '../../../src/trading/mandate/cadence.ts';
import type { MandateEnvelope } from '../../../src/trading/mandate/envelope.ts';
import type { OrderDraft } from '../../../src/trading/order.ts';
import type { OrderChanges } from '../../fixtures/builders.ts';
import { refusedWith } from './support/alpaca-stand-in.ts';
import { type DeskWorld, startDesk } from './support/desk.ts';
import { granted } from './support/granted.ts';
import { startWorld } from './support/world.ts';

let world: DeskWorld;
let mandate: string;
beforeEach(async () => {
  world = await startDesk();
  mandate = await grant();
});

const grant = async (changes: Partial<MandateEnvelope> = {}) => {
  const { digest: policy } = await createStaticRulesSource().current();
  const { account } = world.draft();
  return granted(world.mandates, world.clock.now(), { policy, account, ...changes });
};

const drafted = (changes: OrderChanges = {}) =>
  world.draft({ time_in_force: 'day', mandate, slot: currentSlot('weekly', world.clock.now()), ...changes });
const place = (draft: OrderDraft, desk: OrderService = world.desk, changes: Partial<Caller> = {}) =>
  desk.placeApproved(
    { draft, digest: orderDigest(draft) },
    world.caller({ sub: 'alice', jti: `m:${draft.mandate}:${draft.client_order_id}`, ...changes }),
  );
const refused = (reason: string) => ({
  code: 'policy_denied',
  options: { members: { reasons: expect.arrayContaining([reason]) } },
});
const used = async () => (await world.mandates.find('alice', mandate, { since: 0 }))?.used;
const sent = () => world.alpaca.submissions.length;

describe('the desk, of an order under a mandate', () => {
  it('places it within, and once', async () => {
    const draft = drafted();
    expect((await place(draft)).replay).toBe(false);
    expect((await place(draft)).replay).toBe(true);
    expect(sent()).toBe(1);
    expect(await used()).toMatchObject({ orders: 1 });
  });

  it('gives the last slot to one of two processes', async () => {
    const [one, other] = [drafted(), drafted({ client_order_id: 'ta-another-order' })];
    const both = await Promise.allSettled([place(one), place(other, world.another())]);
    expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    const lost = both.find((outcome) => outcome.status === 'rejected');
    expect(lost?.reason).toMatchObject(refused('MANDATE_SLOT_USED'));
    expect(sent()).toBe(1);
    expect(await used()).toMatchObject({ orders: 1 });
  });

  it('gives what is left of its amount to one of two processes', async () => {
    const onDemand = { cadence: 'on_demand', max_total_notional: '1500.00' } as const;
    mandate = await grant({ mandate_id: 'M-0000000002', ...onDemand });
    const whole = { slot: undefined, qty: '5', limit_price: '180.00' };
    const [one, other] = [drafted(whole), drafted({ ...whole, client_order_id: 'ta-another-order' })];
    const both = await Promise.allSettled([place(one), place(other, world.another())]);
    expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(both.find((outcome) => outcome.status === 'rejected')?.reason).toMatchObject(
      refused('MANDATE_NOTIONAL_EXCEEDS_TOTAL'),
    );
    expect(sent()).toBe(1);
  });

  it.each(['revoked', 'suspended'] as const)(
    'sends nothing where it is %s between the claim and the broker, and gives its slot back',
    async (state) => {
      world.onClaimed = async () => {
        await world.mandates.end({ sub: 'alice', id: mandate }, state, 'phone', world.clock.now());
      };
      const draft = drafted();
      await expect(place(draft)).rejects.toMatchObject({
        code: 'not_placed',
        options: { members: { reason: 'MANDATE_NOT_ACTIVE' } },
      });
      expect(sent()).toBe(0);
      expect(await used()).toEqual({ total_notional: '0.00', day_notional: '0.00', orders: 0 });
      // And said the same for good.
      await expect(place(draft)).rejects.toMatchObject({ code: 'not_placed' });
    },
  );

  it('sends nothing where it ends between the claim and the broker', async () => {
    const expires_at = formatUtcSeconds(world.clock.now() + 60_000);
    mandate = await grant({ mandate_id: 'M-0000000003', expires_at });
    world.onClaimed = async () => world.clock.advance(61_000);
    await expect(place(drafted())).rejects.toMatchObject({
      code: 'not_placed',
      options: { members: { reason: 'MANDATE_EXPIRED' } },
    });
    expect(sent()).toBe(0);
  });

  it('gives its slot back where the broker says no', async () => {
    world.alpaca.onSubmit.push(refusedWith(422, { code: 42210000, message: 'no' }));
    await expect(place(drafted())).rejects.toMatchObject({ code: 'broker_rejected' });
    expect(await used()).toMatchObject({ orders: 0 });
    await place(drafted({ client_order_id: 'ta-another-order' }));
  });

  it('takes none for another person’s', async () => {
    const bobs = place(drafted({ account: 'PA3BOB0001' }), world.desk, { sub: 'bob' });
    await expect(bobs).rejects.toMatchObject(refused('MANDATE_NOT_FOUND'));
    expect(sent()).toBe(0);
  });
});

it('an order that names a mandate comes by a proposal alone', async () => {
  const gateway = await startWorld();
  const draft = gateway.draft();
  const token = await gateway.approve(draft);
  for (const named of [{ mandate: 'M-x9K2aB7cD1' }, { slot: '2026-W48' }]) {
    const response = await gateway.place({ ...draft, ...named } as OrderDraft, token);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: 'invalid_order', fields: Object.keys(named) });
  }
  expect(gateway.broker.submissions).toEqual([]);
});
