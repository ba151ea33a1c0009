import { beforeEach, describe, expect, it } from 'vitest';
import type { NewPolicyDecision } from '../../../src/store/decision-store.ts';
import type { GrantedMandate } from '../../../src/store/mandate-store.ts';
import type { CountedTotals } from '../../../src/trading/counted-order.ts';
import { mandateDigest, mandateEnvelopeSchema } from '../../../src/trading/mandate/envelope.ts';
import type { OrderDraft } from '../../../src/trading/order.ts';
import type { Order, Problem } from '../../../src/trading/views.ts';
import { anOrderDraft } from '../../fixtures/builders.ts';
import { mandateTerms } from '../../integration/sandbox/proposal-fixture.ts';
import { type OpenStores, openForEach } from './gateway-factory.ts';

const issuer = 'https://issuer.example';
const terms = mandateEnvelopeSchema.parse(mandateTerms());
const id = terms.mandate_id;
const granted = (changes: Partial<typeof terms> = {}, jti = `jti-${changes.mandate_id ?? id}`): GrantedMandate => {
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

const draft = (n: number, changes: Partial<OrderDraft> = {}): OrderDraft =>
  anOrderDraft({
    ...{ account: terms.account, qty: '1', type: 'limit', limit_price: '200.00' },
    ...{ client_order_id: `ta-0000000${n}`, mandate: id, slot: SLOT },
    ...changes,
  });

const decided = (effect: 'allow' | 'deny'): NewPolicyDecision => ({
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
const oncePerSlot = ({ mandate }: CountedTotals) =>
  decided(mandate != null && mandate.state === 'active' && mandate.inSlot === 0 ? 'allow' : 'deny');

/** What every store of mandates promises, and the journal of orders about them. */
export function mandateStoreContract(open: OpenStores): void {
  const opened = openForEach(open);
  const mandates = opened.the('mandates');
  const orders = opened.the('orders');

  const claim = (whole: OrderDraft, at = now, decide = oncePerSlot, { orders } = opened.stores) =>
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
  const found = async (mandate = id, since = day) => mandates.find('alice', mandate, { since, slot });

  describe('a store of mandates', () => {
    it('gives back what was granted, unused, to another process too', async () => {
      expect(await mandates.grant(granted(), now)).toBe('granted');
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
      expect(await mandates.list('alice', { since: day })).toEqual([expected]);
      expect(await mandates.list('bob', { since: day })).toEqual([]);
      expect(await mandates.find('bob', id, { since: day })).toBeUndefined();
    });

    it('grants once, however often and by however many it is asked', async () => {
      const asked = await opened.atOnce(2, ({ mandates }) => mandates.grant(granted(), now));
      expect(asked.toSorted()).toEqual(['granted', 'known']);
      expect(await mandates.list('alice', { since: day })).toHaveLength(1);
    });

    it('uses an approval for one mandate, and for no order or message beside it', async () => {
      const { approval } = granted();
      await mandates.grant(granted(), now);
      const another = granted({ mandate_id: 'M-0000000002' });
      expect(await mandates.grant({ ...another, approval }, now)).toBe('approval_used');
      const { mandate: _, slot: __, ...plain } = draft(1);
      const order = { ...key(plain), digest: 'digest', approval, draft: plain };
      expect(await orders.claim(order, now)).toBe('approval_used');
    });

    it('does not let other terms be granted under an id that is taken', async () => {
      await mandates.grant(granted(), now);
      expect(await mandates.grant(granted({ max_orders: 99 }, 'jti-2'), now)).toBe('approval_used');
      expect((await found())?.terms).toEqual(terms);
    });

    it('ends the one whose place another takes, in one', async () => {
      await mandates.grant(granted(), now);
      const next = granted({ mandate_id: 'M-0000000002', replaces: id });
      expect(await mandates.grant(next, now + 1)).toBe('granted');
      expect(await found()).toMatchObject({ state: 'replaced', updatedAt: now + 1 });
      const late = granted({ mandate_id: 'M-0000000003', replaces: id });
      expect(await mandates.grant(late, now + 2)).toBe('not_replaceable');
      expect(await found('M-0000000003')).toBeUndefined();
      const ofNone = granted({ mandate_id: 'M-0000000004', replaces: 'M-9999999999' });
      expect(await mandates.grant(ofNone, now)).toBe('not_replaceable');
    });

    it('suspends and revokes, and never takes that back', async () => {
      await mandates.grant(granted(), now);
      const end = (to: 'suspended' | 'revoked', sub = 'alice') => mandates.end({ sub, id }, to, 'phone', now);
      expect(await end('suspended', 'bob')).toBe('unknown');
      for (const to of ['suspended', 'suspended', 'revoked'] as const) expect(await end(to)).toBe('ended');
      expect(await end('suspended')).toBe('barred');
      expect((await found())?.state).toBe('revoked');
    });
  });

  describe('a journal of orders, of those under a mandate', () => {
    beforeEach(async () => {
      await mandates.grant(granted(), now);
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
      const seen: CountedTotals[] = [];
      const looks = (facts: CountedTotals) => {
        seen.push(facts);
        return decided('deny');
      };
      await claim(draft(2), now, looks);
      const again = await orders.count({ ...key(draft(1)), draft: draft(1) }, now);
      expect(seen[0]?.mandate).toMatchObject({ used: { orders: 1 }, inSlot: 1 });
      expect(again.mandate).toMatchObject({ used: { orders: 0 }, inSlot: 0 });
      await claim(draft(3, { mandate: 'M-9999999999' }), now, looks);
      expect(seen[1]?.mandate).toBeNull();
    });

    it('gives a slot to one of many at once, in this process and another', async () => {
      const claims = await opened.atOnce(8, (stores, n) => claim(draft(n + 1), now, oncePerSlot, stores));
      expect(claims.toSorted()).toEqual(['claimed', ...Array(7).fill('denied')]);
      expect((await found())?.used.orders).toBe(1);
    });

    it('gives a slot to one of many at once, also where each is of another account', async () => {
      await mandates.grant(granted(), now);
      const claims = await opened.atOnce(8, (stores, n) =>
        claim(draft(n, { account: `PA${n}` }), now, oncePerSlot, stores),
      );
      expect(claims.toSorted()).toEqual(['claimed', ...Array(7).fill('denied')]);
    });

    it('keeps slots of another week, symbol or side apart', async () => {
      for (const [n, changes] of [{}, { slot: '2026-W49' }, { symbol: 'MSFT' }, { side: 'sell' as const }].entries()) {
        expect(await claim(draft(n + 1, changes))).toBe('claimed');
      }
      expect((await found())?.used).toMatchObject({ orders: 4 });
    });

    it('fills a slot of more than one up to its places, and one that was given back again', async () => {
      const upTo = (places: number) => (facts: CountedTotals) =>
        decided((facts.mandate?.inSlot ?? 9) < places ? 'allow' : 'deny');
      expect(await claim(draft(1), now, upTo(2))).toBe('claimed');
      expect(await claim(draft(2), now, upTo(2))).toBe('claimed');
      expect(await claim(draft(3), now, upTo(2))).toBe('denied');
      await orders.refuse(key(draft(1)), { code: 'broker_rejected' } as Problem, now);
      expect(await claim(draft(3), now, upTo(2))).toBe('claimed');
      expect(await claim(draft(4), now, upTo(2))).toBe('denied');
    });

    it.each(['refuse', 'reject'] as const)('give back what they used with a %s, once', async (method) => {
      await claim(draft(1));
      for (let times = 0; times < 2; times++) {
        await orders[method](key(draft(1)), { code: 'not_placed' } as Problem, now);
      }
      expect(await found()).toMatchObject({ used: { total_notional: '0.00', orders: 0 }, inSlot: 0 });
      expect(await claim(draft(2))).toBe('claimed');
    });

    it('keep it while nobody knows', async () => {
      await claim(draft(1));
      await orders.markUnknown(key(draft(1)), now);
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
      await orders.place(key(draft(1)), order, now);
      expect((await found())?.used).toMatchObject({ total_notional: '50.00', orders: 1 });
      await claim(draft(2, { side: 'sell' }));
      expect((await found())?.used).toMatchObject({ total_notional: '250.00', orders: 2 });
    });
  });
}
