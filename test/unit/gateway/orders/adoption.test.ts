import Database from 'better-sqlite3-multiple-ciphers';
import { describe, expect, it } from 'vitest';
import { describeMandateExcess, suspendExceededMandate } from '../../../../src/gateway/orders/adoption.ts';
import type { OrderJournalEntry } from '../../../../src/store/order-journal.ts';
import { createSqliteGatewayStores } from '../../../../src/store/sqlite/gateway-stores.ts';
import {
  type MandateEnvelope,
  mandateDigest,
  mandateEnvelopeSchema,
} from '../../../../src/trading/mandate/envelope.ts';
import type { OrderDraft } from '../../../../src/trading/order.ts';
import type { Order, Problem } from '../../../../src/trading/views.ts';
import { anOrderDraft } from '../../../fixtures/builders.ts';
import { mandateTerms } from '../../../integration/sandbox/proposal-fixture.ts';

const NOON = Date.parse('2026-11-24T17:00:00Z');
const DAY_MS = 24 * 60 * 60_000;
const problem = { code: 'not_placed', status: 409 } as Problem;
const issuer = 'https://issuer.example';

/** A mandate of these terms, which allows more than enough of all else. */
async function granted(changes: Partial<MandateEnvelope>) {
  const stores = createSqliteGatewayStores(new Database(':memory:'));
  const terms = mandateEnvelopeSchema.parse({
    ...mandateTerms(),
    ...{ max_total_notional: '100000.00', max_day_notional: '100000.00', max_orders: 1_000 },
    ...{ orders_per_slot: 10, ...changes },
  });
  const id = terms.mandate_id;
  await stores.mandates.grant(
    {
      ...{ id, sub: 'alice', terms, digest: mandateDigest(terms), client: 'trade-agent' },
      approval: { issuer, jti: 'jti-mandate' },
    },
    NOON,
  );
  let now = NOON;
  let number = 0;
  const parts = { mandates: stores.mandates, clock: { now: () => now } };
  return {
    ...{ parts, id },
    pass: (ms: number) => {
      now += ms;
    },
    /** Claims an order of $200 under it. */
    async claim(slot = '2026-W48', under: string | null = id): Promise<OrderDraft> {
      const draft = anOrderDraft({
        account: terms.account,
        client_order_id: `ta-${++number}`,
        qty: '1',
        limit_price: '200.00',
        ...(under === null ? {} : { mandate: under, slot }),
      });
      const key = { sub: 'alice', clientOrderId: draft.client_order_id };
      const approval = { issuer, jti: draft.client_order_id };
      const claim = { ...key, digest: 'digest', approval, draft, mandate: under ?? undefined, slot };
      expect(await stores.orders.claim(claim, now)).toBe('claimed');
      return draft;
    },
    /** It was concluded that the broker does not have it, and what it used was given back. */
    reject: (draft: OrderDraft) =>
      stores.orders.reject({ sub: 'alice', clientOrderId: draft.client_order_id }, problem, now),
    /** The broker has it after all. @returns whether its mandate is suspended by that, and what its owner is told */
    async adopt(draft: OrderDraft) {
      const key = { sub: 'alice', clientOrderId: draft.client_order_id };
      const order = { id: `order ${draft.client_order_id}`, status: 'new' } as Order;
      expect(await stores.orders.place(key, order, now)).toBe('adopted');
      const entry = (await stores.orders.find('alice', draft.client_order_id)) as OrderJournalEntry;
      await suspendExceededMandate(parts, entry);
      const mandate = await stores.mandates.find('alice', id, { since: 0 });
      return { state: mandate?.state, excess: await describeMandateExcess(parts, entry) };
    },
  };
}

/** The mandate is active, and there is nothing to tell. */
const unharmed = { state: 'active', excess: undefined };
type World = Awaited<ReturnType<typeof granted>>;

/** One order is written off, another takes its place, and the first is found. */
async function adoptedBeside(world: World, slots: [string, string] = ['2026-W48', '2026-W48']) {
  const first = await world.claim(slots[0]);
  await world.reject(first);
  await world.claim(slots[1]);
  return await world.adopt(first);
}

describe('an order that is adopted', () => {
  it.each([
    ['max_total_notional', '300.00', '400.00', '$400.00, not $300.00'],
    ['max_day_notional', '300.00', '400.00', '$400.00 today, not $300.00'],
    ['max_orders', 1, 2, '2 orders, not 1'],
    ['orders_per_slot', 1, 2, '2 orders in one period, not 1'],
  ])('suspends its mandate where it takes it beyond %s (%s), and not up to it (%s)', async (term, less, all, text) => {
    const world = await granted({ [term]: less });
    expect(await adoptedBeside(world)).toEqual({
      state: 'suspended',
      excess: `Mandate ${world.id} was used for more than you approved: ${text}.`,
    });
    expect(await adoptedBeside(await granted({ [term]: all }))).toEqual(unharmed);
  });

  it('tells of all that it exceeds', async () => {
    const world = await granted({ max_total_notional: '300.00', max_day_notional: '300.00', max_orders: 1 });
    const { excess } = await adoptedBeside(world);
    expect(excess).toContain('$400.00, not $300.00; $400.00 today, not $300.00; 2 orders, not 1.');
  });

  it('leaves its mandate active where the other order is of another period', async () => {
    const adopted = await adoptedBeside(await granted({ orders_per_slot: 1 }), ['2026-W48', '2026-W49']);
    expect(adopted).toEqual(unharmed);
  });

  it('leaves its mandate active where the other order is of another day, as far as the day is concerned', async () => {
    const world = await granted({ max_day_notional: '300.00' });
    const first = await world.claim();
    await world.reject(first);
    world.pass(DAY_MS);
    await world.claim();
    expect(await world.adopt(first)).toEqual(unharmed);
  });

  it('leaves every mandate active where it went by none', async () => {
    const world = await granted({ max_orders: 1 });
    const first = await world.claim('', null);
    await world.reject(first);
    await world.claim();
    expect(await world.adopt(first)).toEqual(unharmed);
  });

  it('is taken in where its mandate is known to nobody', async () => {
    const world = await granted({});
    const first = await world.claim('', 'M-9999999999');
    await world.reject(first);
    expect(await world.adopt(first)).toEqual(unharmed);
  });
});
