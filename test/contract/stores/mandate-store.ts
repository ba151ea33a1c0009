import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DecisionNote } from '../../../src/store/decision-store.ts';
import type { GatewayStores } from '../../../src/store/gateway-stores.ts';
import type { GrantedMandate } from '../../../src/store/mandate-store.ts';
import type { CountedFacts } from '../../../src/trading/counted-order.ts';
import { mandateDigest, mandateEnvelopeSchema } from '../../../src/trading/mandate/envelope.ts';
import type { OrderDraft } from '../../../src/trading/order.ts';
import type { Order, Problem } from '../../../src/trading/views.ts';
import { mandateTerms } from '../../integration/sandbox/proposal-fixture.ts';
import type { OpenedStores, OpenStores } from './gateway-factory.ts';

const issuer = 'https://issuer.example';
const terms = mandateEnvelopeSchema.parse(mandateTerms());
const id = terms.mandate_id;
const granted = (
  changes: Partial<typeof terms> = {},
  jti = `jti-${changes.mandate_id ?? id}`,
): GrantedMandate => {
  const whole = { ...terms, ...changes };
  return {
    id: whole.mandate_id,
    sub: 'alice',
    terms: whole,
    digest: mandateDigest(whole),
    approval: { issuer, jti },
    client: 'trade-agent',
  };
};
const SLOT = '2026-W48';
const now = Date.parse('2026-11-25T15:00:00Z');
const day = Date.parse('2026-11-25T05:00:00Z');

const draft = (n: number, changes: Partial<OrderDraft> = {}): OrderDraft => ({
  account: terms.account,
  environment: 'paper',
  symbol: 'AAPL',
  side: 'buy',
  qty: '1',
  type: 'limit',
  time_in_force: 'day',
  limit_price: '200.00',
  extended_hours: false,
  reference_price: '180.00',
  max_slippage: '0.01',
  client_order_id: `ta-0000000${n}`,
  expires_at: '2026-11-25T15:05:00Z',
  mandate: id,
  slot: SLOT,
  ...changes,
});

const decided = (effect: 'allow' | 'deny'): DecisionNote => ({
  sub: 'alice',
  client: 'trade-agent',
  account: terms.account,
  action: 'place',
  stage: 'order',
  subjectId: 'ta',
  effect,
  reasons: [],
  texts: [],
  policy: 'digest',
  facts: {},
});
/** One for each slot, as the gateway decides it. */
const oncePerSlot = ({ mandate }: CountedFacts) =>
  decided(mandate != null && mandate.state === 'active' && mandate.inSlot === 0 ? 'allow' : 'deny');

/** What every store of mandates promises, and the journal of orders about them. */
export function mandateStoreContract(open: OpenStores): void {
  let opened: OpenedStores;
  let stores: GatewayStores;
  beforeEach(async () => {
    opened = await open();
    stores = opened.stores;
  });
  afterEach(() => opened.close());

  const claim = (whole: OrderDraft, at = now, { orders } = stores, decide = oncePerSlot) =>
    orders.claim(
      {
        sub: 'alice',
        clientOrderId: whole.client_order_id,
        digest: 'digest',
        approval: { issuer, jti: `m:${whole.mandate}:${whole.client_order_id}` },
        draft: whole,
        mandate: whole.mandate,
        slot: whole.slot,
      },
      at,
      decide,
    );
  const key = (whole: OrderDraft) => ({ sub: 'alice', clientOrderId: whole.client_order_id });
  const slot = { slot: SLOT, symbol: 'AAPL', side: 'buy' } as const;
  const found = async (mandate = id, since = day) => stores.mandates.find('alice', mandate, { since, slot });

  describe('a store of mandates', () => {
    it('gives back what was granted, unused, to another process too', async () => {
      expect(await stores.mandates.grant(granted(), now)).toBe('granted');
      const expected = {
        id,
        sub: 'alice',
        terms,
        state: 'active',
        createdAt: now,
        updatedAt: now,
        used: { total_notional: '0.00', day_notional: '0.00', orders: 0 },
        inSlot: 0,
      };
      expect(await opened.another().mandates.find('alice', id, { since: day })).toEqual(expected);
      expect(await stores.mandates.list('alice', { since: day })).toEqual([expected]);
      expect(await stores.mandates.list('bob', { since: day })).toEqual([]);
      expect(await stores.mandates.find('bob', id, { since: day })).toBeUndefined();
    });

    it('grants once, however often and by however many it is asked', async () => {
      const asked = [stores, opened.another()].map(({ mandates }) => mandates.grant(granted(), now));
      expect((await Promise.all(asked)).toSorted()).toEqual(['granted', 'known']);
      expect(await stores.mandates.list('alice', { since: day })).toHaveLength(1);
    });

    it('uses an approval for one mandate, and for no order or message beside it', async () => {
      const { approval } = granted();
      await stores.mandates.grant(granted(), now);
      const another = granted({ mandate_id: 'M-0000000002' });
      expect(await stores.mandates.grant({ ...another, approval }, now)).toBe('approval_used');
      const { mandate: _, slot: __, ...plain } = draft(1);
      const order = { ...key(plain), digest: 'digest', approval, draft: plain };
      expect(await stores.orders.claim(order, now)).toBe('approval_used');
    });

    it('does not let other terms be granted under an id that is taken', async () => {
      await stores.mandates.grant(granted(), now);
      expect(await stores.mandates.grant(granted({ max_orders: 99 }, 'jti-2'), now)).toBe('approval_used');
      expect((await found())?.terms).toEqual(terms);
    });

    it('ends the one whose place another takes, in one', async () => {
      await stores.mandates.grant(granted(), now);
      const next = granted({ mandate_id: 'M-0000000002', replaces: id });
      expect(await stores.mandates.grant(next, now + 1)).toBe('granted');
      expect(await found()).toMatchObject({ state: 'replaced', updatedAt: now + 1 });
      const late = granted({ mandate_id: 'M-0000000003', replaces: id });
      expect(await stores.mandates.grant(late, now + 2)).toBe('not_replaceable');
      expect(await found('M-0000000003')).toBeUndefined();
      const ofNone = granted({ mandate_id: 'M-0000000004', replaces: 'M-9999999999' });
      expect(await stores.mandates.grant(ofNone, now)).toBe('not_replaceable');
    });

    it('suspends and revokes, and never takes that back', async () => {
      await stores.mandates.grant(granted(), now);
      const end = (to: 'suspended' | 'revoked', sub = 'alice') =>
        stores.mandates.end({ sub, id }, to, 'phone', now);
      expect(await end('suspended', 'bob')).toBe('unknown');
      expect([await end('suspended'), await end('suspended'), await end('revoked')]).toEqual([
        'ended',
        'ended',
        'ended',
      ]);
      expect(await end('suspended')).toBe('barred');
      expect((await found())?.state).toBe('revoked');
    });
  });

  describe('a journal of orders, of those under a mandate', () => {
    beforeEach(async () => {
      await stores.mandates.grant(granted(), now);
    });

    it('counts them, and takes their slot, with the claim', async () => {
      expect(await claim(draft(1))).toBe('claimed');
      expect(await found()).toMatchObject({
        used: { total_notional: '200.00', day_notional: '200.00', orders: 1 },
        inSlot: 1,
      });
      expect((await found(id, now + 1))?.used).toMatchObject({
        total_notional: '200.00',
        day_notional: '0.00',
      });
    });

    it('tells what decides all but the order itself', async () => {
      await claim(draft(1));
      const seen: CountedFacts[] = [];
      const looks = (facts: CountedFacts) => {
        seen.push(facts);
        return decided('deny');
      };
      await claim(draft(2), now, stores, looks);
      const again = await stores.orders.counted({ ...key(draft(1)), draft: draft(1) }, now);
      expect(seen[0]?.mandate).toMatchObject({ used: { orders: 1 }, inSlot: 1 });
      expect(again.mandate).toMatchObject({ used: { orders: 0 }, inSlot: 0 });
      await claim(draft(3, { mandate: 'M-9999999999' }), now, stores, looks);
      expect(seen[1]?.mandate).toBeNull();
    });

    it('gives a slot to one of many at once, in this process and another', async () => {
      const both = [stores, opened.another()];
      const claims = await Promise.all(
        Array.from({ length: 8 }, (_, n) => claim(draft(n + 1), now, both[n % 2])),
      );
      expect(claims.toSorted()).toEqual(['claimed', ...Array(7).fill('denied')]);
      expect((await found())?.used.orders).toBe(1);
    });

    it('gives a slot to one of many at once, also where each is of another account', async () => {
      await stores.mandates.grant(granted(), now);
      const both = [stores, opened.another()];
      const claims = await Promise.all(
        Array.from({ length: 8 }, (_, n) => claim(draft(n, { account: `PA${n}` }), now, both[n % 2])),
      );
      expect(claims.toSorted()).toEqual(['claimed', ...Array(7).fill('denied')]);
    });

    it('keeps slots of another week, symbol or side apart', async () => {
      for (const [n, changes] of [
        {},
        { slot: '2026-W49' },
        { symbol: 'MSFT' },
        { side: 'sell' as const },
      ].entries()) {
        expect(await claim(draft(n + 1, changes))).toBe('claimed');
      }
      expect((await found())?.used).toMatchObject({ orders: 4 });
    });

    it('fills a slot of more than one up to its places, and one that was given back again', async () => {
      const upTo = (places: number) => (facts: CountedFacts) =>
        decided((facts.mandate?.inSlot ?? 9) < places ? 'allow' : 'deny');
      expect(await claim(draft(1), now, stores, upTo(2))).toBe('claimed');
      expect(await claim(draft(2), now, stores, upTo(2))).toBe('claimed');
      expect(await claim(draft(3), now, stores, upTo(2))).toBe('denied');
      await stores.orders.refuse(key(draft(1)), { code: 'broker_rejected' } as Problem, now);
      expect(await claim(draft(3), now, stores, upTo(2))).toBe('claimed');
      expect(await claim(draft(4), now, stores, upTo(2))).toBe('denied');
    });

    it.each(['refuse', 'reject'] as const)('give back what they used with a %s, once', async (method) => {
      await claim(draft(1));
      for (let times = 0; times < 2; times++) {
        await stores.orders[method](key(draft(1)), { code: 'not_placed' } as Problem, now);
      }
      expect(await found()).toMatchObject({ used: { total_notional: '0.00', orders: 0 }, inSlot: 0 });
      expect(await claim(draft(2))).toBe('claimed');
    });

    it('keep it while nobody knows', async () => {
      await claim(draft(1));
      await stores.orders.doubt(key(draft(1)), now);
      expect(await claim(draft(2))).toBe('denied');
    });

    it('use of it no more than was filled in the end, and sales give nothing back', async () => {
      await claim(draft(1, { qty: '4', limit_price: '50.00' }));
      const order = {
        id: 'o-1',
        status: 'canceled',
        filled_qty: '1',
        filled_avg_price: '49.00',
        qty: '4',
      } as Order;
      await stores.orders.place(key(draft(1)), order, now);
      expect((await found())?.used).toMatchObject({ total_notional: '50.00', orders: 1 });
      await claim(draft(2, { side: 'sell' }));
      expect((await found())?.used).toMatchObject({ total_notional: '250.00', orders: 2 });
    });
  });
}
