import { describe, expect, it } from 'vitest';
import type { OrderJournalEntry } from '../../../src/store/order-journal.ts';
import { mandateDigest, mandateEnvelopeSchema } from '../../../src/trading/mandate/envelope.ts';
import type { OrderDraft } from '../../../src/trading/order.ts';
import type { Order, Problem } from '../../../src/trading/views.ts';
import { anOrderDraft } from '../../fixtures/builders.ts';
import { mandateTerms } from '../../integration/sandbox/proposal-fixture.ts';
import { type OpenStores, openForEach } from './gateway-factory.ts';

const HOUR_MS = 60 * 60_000;
const NOON = Date.parse('2026-11-24T17:00:00Z');
/** When the New York day began and ends that noon is in. */
const DAY_BEGAN = Date.parse('2026-11-24T05:00:00Z');
const DAY_ENDS = DAY_BEGAN + 24 * HOUR_MS;
const SLOT = '2026-W48';

/** What every journal of orders promises. */
export function orderJournalContract(open: OpenStores): void {
  describe('claims', () => claimContract(open));
  describe('absence and proof', () => writtenOffContract(open));
}

function claimContract(open: OpenStores): void {
  const opened = openForEach(open);
  const journal = opened.the('orders');

  const draft = anOrderDraft({ client_order_id: 'ta-00000001', type: 'limit', limit_price: '180.00' });
  const approvalOf = (jti: string) => ({ issuer: 'https://issuer.example', jti });
  const approval = approvalOf('jti-1');
  const claim = { clientOrderId: 'ta-00000001', digest: 'digest', sub: 'alice', approval, draft };
  const order = { id: 'order-1' } as Order;
  const problem = { code: 'broker_rejected', status: 422 } as Problem;
  const claimed = async () => {
    await journal.claim(claim, 1000);
    return await found();
  };
  const found = async (): Promise<OrderJournalEntry> => {
    const entry = await journal.find('alice', 'ta-00000001');
    if (entry === undefined) throw new Error('not in the journal');
    return entry;
  };

  describe('a journal of orders', () => {
    it('writes the intent and uses the approval in one', async () => {
      expect(await journal.claim(claim, 1000)).toBe('claimed');
      expect(await found()).toMatchObject({
        state: 'intent',
        submissions: 1,
        submittedAt: 1000,
        ambiguous: false,
        draft,
      });
    });

    it('returns the approved types of the person’s own orders alone', async () => {
      await journal.claim(claim, 1000);
      const ids = ['ta-00000001', 'ta-00000002', "x'); --"];
      expect(await journal.approvedTypes('alice', ids)).toEqual(new Map([['ta-00000001', 'limit']]));
      expect(await journal.approvedTypes('bob', ids)).toEqual(new Map());
      expect(await journal.approvedTypes('alice', [])).toEqual(new Map());
    });

    it('knows a client_order_id, whatever else the second claim says', async () => {
      await journal.claim(claim, 1000);
      const second = { ...claim, approval: approvalOf('jti-2'), digest: 'other' };
      expect(await journal.claim(second, 1001)).toBe('known');
      expect(await found()).toMatchObject({ sub: 'alice', digest: 'digest' });
      // Its approval was not used up by that.
      expect(await journal.claim({ ...second, clientOrderId: 'ta-00000002' }, 1002)).toBe('claimed');
    });

    it('keeps each user’s ids apart: what becomes of bob’s order is nothing to alice’s', async () => {
      const bobs = { ...claim, approval: approvalOf('jti-2'), sub: 'bob', digest: 'other' };
      expect(await journal.claim(bobs, 999)).toBe('claimed');
      expect(await journal.claim(claim, 1000)).toBe('claimed');
      await journal.reject(bobs, problem, 1001);
      expect(await found()).toMatchObject({ state: 'intent', digest: 'digest', submittedAt: 1000 });
      expect(await journal.find('bob', 'ta-00000001')).toMatchObject({ state: 'rejected', digest: 'other' });
    });

    it('keeps which order a replacement is put in place of', async () => {
      await journal.claim({ ...claim, replaces: 'order-0' }, 1000);
      expect((await found()).replaces).toBe('order-0');
    });

    it('lets an approval be used once, and a refused claim leaves no trace', async () => {
      await journal.claim(claim, 1000);
      expect(await journal.claim({ ...claim, clientOrderId: 'ta-00000002' }, 1001)).toBe('approval_used');
      expect(await journal.find('alice', 'ta-00000002')).toBeUndefined();
    });

    it('lets an approval be used once, for an order or a message', async () => {
      const message = { sub: 'alice', id: 'ta-00000009', digest: 'digest', draft: {} as never };
      const limit = { since: 0, max: 1 };
      const { messages } = opened.stores;
      await journal.claim(claim, 1000);
      expect(await messages.claim({ ...message, approval }, limit, 1001)).toEqual({ outcome: 'approval_used' });
      expect(await messages.claim({ ...message, approval: approvalOf('jti-2') }, limit, 1001)).toMatchObject({
        outcome: 'claimed',
      });
      const another = { ...claim, clientOrderId: 'ta-00000002', approval: approvalOf('jti-2') };
      expect(await journal.claim(another, 1002)).toBe('approval_used');
    });

    it('tells two issuers’ approvals of the same id apart', async () => {
      await journal.claim(claim, 1000);
      const elsewhere = { issuer: 'https://other.example', jti: 'jti-1' };
      const another = { ...claim, clientOrderId: 'ta-00000002', approval: elsewhere };
      expect(await journal.claim(another, 1001)).toBe('claimed');
    });

    it('gives a claim to one of many at once, in this process and another', async () => {
      const claims = await opened.atOnce(20, ({ orders }, n) =>
        orders.claim({ ...claim, approval: approvalOf(`jti-${n}`) }, 1000),
      );
      expect(claims.toSorted()).toEqual(['claimed', ...Array(19).fill('known')]);
    });

    it('lets an approval be used by one of many orders at once', async () => {
      const claims = await opened.atOnce(20, ({ orders }, n) =>
        orders.claim({ ...claim, clientOrderId: `ta-${n}` }, 1000),
      );
      expect(claims.toSorted()).toEqual([...Array(19).fill('approval_used'), 'claimed']);
    });

    it('never changes a final state', async () => {
      const seen = await claimed();
      await journal.place(claim, order, 1001);
      await journal.reject(claim, problem, 1002);
      await journal.markUnknown(claim, 1003);
      expect(await journal.release(claim, 1004)).toBe('stale');
      expect(await journal.refuse(claim, problem, 1004)).toBe('stale');
      expect(await journal.reclaim(seen, 1005)).toBe('stale');
      expect(await journal.reclaim(await found(), 1005)).toBe('stale');
      expect(await found()).toMatchObject({ state: 'placed', order, problem: undefined, submissions: 1 });
    });

    it('settles an unknown outcome either way', async () => {
      await journal.claim(claim, 1000);
      await journal.markUnknown(claim, 1001);
      // It may have left as late as that, and is not sent again too soon after.
      expect(await found()).toMatchObject({ state: 'unknown', submittedAt: 1001 });
      await journal.reject(claim, problem, 1002);
      expect(await found()).toMatchObject({ state: 'rejected', problem, order: undefined });
    });

    it('gives the right to send again to one of many at once, within the same millisecond too', async () => {
      const seen = await claimed();
      const rights = await opened.atOnce(10, ({ orders }) => orders.reclaim(seen, 1000));
      expect(rights.toSorted()).toEqual(['claimed', ...Array(9).fill('stale')]);
      expect((await found()).submissions).toBe(2);
    });

    it('gives no right to send again to who saw it before it was released', async () => {
      const seen = await claimed();
      await journal.release(claim, 1001);
      expect(await journal.reclaim(seen, 1002)).toBe('stale');
      expect(await found()).toMatchObject({ submissions: 1, submittedAt: null });
    });

    it('knows when every submission came to nothing', async () => {
      await journal.claim(claim, 1000);
      expect(await journal.release(claim, 1001)).toBe('released');
      expect(await found()).toMatchObject({ state: 'intent', submittedAt: null });
      await journal.reclaim(await found(), 2000);
      expect(await found()).toMatchObject({ submittedAt: 2000, ambiguous: false });
    });

    it('takes back no submission, and takes no refusal for a no, after an earlier one was left in doubt', async () => {
      await journal.claim(claim, 1000);
      await journal.markUnknown(claim, 1001);
      await journal.reclaim(await found(), 2000);
      expect(await journal.release(claim, 2001)).toBe('stale');
      expect(await journal.refuse(claim, problem, 2001)).toBe('stale');
      expect(await found()).toMatchObject({ state: 'intent', submittedAt: 2000, ambiguous: true });
    });
  });
}

/** What every journal of orders promises about proof, and about what is only inferred. */
function writtenOffContract(open: OpenStores): void {
  const opened = openForEach(open);
  const journal = opened.the('orders');

  const terms = mandateEnvelopeSchema.parse(mandateTerms());
  const mandate = terms.mandate_id;
  const orderOf = (n: number, changes: Partial<OrderDraft> = {}) => {
    const draft = anOrderDraft({
      ...{ account: terms.account, client_order_id: `ta-0000000${n}`, qty: '1' },
      ...{ type: 'limit', limit_price: '200.00' },
      ...changes,
    });
    const approval = { issuer: 'https://issuer.example', jti: `jti-${n}` };
    const clientOrderId = draft.client_order_id;
    return { sub: 'alice', clientOrderId, digest: `digest-${n}`, approval, draft };
  };
  const underMandate = (n: number) => {
    const order = orderOf(n, { mandate, slot: SLOT });
    return { ...order, mandate, slot: SLOT };
  };
  const first = orderOf(1);
  const key = { sub: 'alice', clientOrderId: 'ta-00000001' };
  const order = { id: 'order-1', status: 'new' } as Order;
  const problem = { code: 'not_placed', status: 409 } as Problem;
  const times = { now: NOON + 1000, reservedUntil: DAY_ENDS };

  const found = async (n = 1): Promise<OrderJournalEntry> => {
    const entry = await journal.find('alice', `ta-0000000${n}`);
    if (entry === undefined) throw new Error('not in the journal');
    return entry;
  };
  const granted = () =>
    opened.stores.mandates.grant(
      {
        ...{ id: mandate, sub: 'alice', terms, digest: mandateDigest(terms), client: 'trade-agent' },
        approval: { issuer: 'https://issuer.example', jti: 'jti-mandate' },
      },
      NOON,
    );
  const claimed = async () => {
    await journal.claim(first, NOON);
    return await found();
  };
  const claimedUnderMandate = async () => {
    await granted();
    await journal.claim(underMandate(1), NOON);
  };
  const slot = { slot: SLOT, symbol: 'AAPL', side: 'buy' } as const;
  const mandateUse = async (since = DAY_BEGAN) => {
    const counted = await opened.stores.mandates.find('alice', mandate, { since, slot });
    return { ...counted?.used, inSlot: counted?.inSlot };
  };
  const dayUse = async (now = NOON) => {
    const { day_notional, day_orders } = await journal.usage('alice', terms.account, now);
    return { day_notional, day_orders };
  };
  const NOTHING = { total_notional: '0.00', day_notional: '0.00', orders: 0, inSlot: 0 };
  const ONE = { total_notional: '200.00', day_notional: '200.00', orders: 1, inSlot: 1 };

  /** The ways in which an order comes to be recorded as not placed. */
  const ways: [string, (n?: number) => Promise<unknown>][] = [
    ['rejected', (n = 1) => journal.reject(orderOf(n), problem, NOON + 1000)],
    ['refused', (n = 1) => journal.refuse(orderOf(n), problem, NOON + 1000)],
    ['written off', async (n = 1) => journal.writeOff(await found(n), problem, times)],
    [
      'abandoned',
      async (n = 1) => {
        await journal.release(orderOf(n), NOON + 500);
        await journal.abandon(orderOf(n), problem, NOON + 1000);
      },
    ],
  ];

  describe.each(ways)('an order that was %s, and that the broker has', (_, end) => {
    it('is placed, since proof overrides what was concluded', async () => {
      await journal.claim(first, NOON);
      await end();
      expect((await found()).state).toBe('rejected');
      expect(await journal.place(key, order, NOON + 2000)).toBe('adopted');
      expect(await found()).toMatchObject({ state: 'placed', order, problem: undefined });
    });

    it('is adopted once, and keeps the first order that was recorded', async () => {
      await claimed();
      await end();
      await journal.place(key, order, NOON + 2000);
      expect(await journal.place(key, { ...order, id: 'order-2' }, NOON + 3000)).toBe('known');
      expect((await found()).order?.id).toBe('order-1');
    });

    it('is adopted by one of many at once, in this process and another', async () => {
      await journal.claim(first, NOON);
      await end();
      const came = await opened.atOnce(10, ({ orders }) => orders.place(key, order, NOON + 2000));
      expect(came.toSorted()).toEqual(['adopted', ...Array(9).fill('known')]);
    });

    it('counts again for its day and is open again', async () => {
      await claimed();
      await end();
      await journal.place(key, order, NOON + 2000);
      expect(await journal.usage('alice', terms.account, NOON + 2000)).toMatchObject({
        ...{ day_notional: '200.00', day_orders: 1, open_orders: 1 },
      });
      expect(await journal.open(terms.account, 10)).toEqual([{ ...key, orderId: 'order-1' }]);
    });

    it('uses its mandate and its slot again', async () => {
      await claimedUnderMandate();
      await end();
      await journal.place(key, order, NOON + 2000);
      expect(await mandateUse()).toEqual(ONE);
    });

    it('takes its slot again where another order has taken it meanwhile', async () => {
      await claimedUnderMandate();
      await end();
      await journal.claim(underMandate(2), NOON + 1500);
      expect(await journal.place(key, order, NOON + 2000)).toBe('adopted');
      expect(await mandateUse()).toEqual({
        ...{ total_notional: '400.00', day_notional: '400.00', orders: 2, inSlot: 2 },
      });
      await journal.refuse(orderOf(2), problem, NOON + 3000);
      expect(await mandateUse()).toEqual(ONE);
    });

    it('counts for what was filled of it where it is over by then', async () => {
      await claimedUnderMandate();
      await end();
      const canceled = {
        ...order,
        ...{ status: 'canceled', qty: '1', filled_qty: '0', filled_avg_price: null },
      } as Order;
      expect(await journal.place(key, canceled, NOON + 2000)).toBe('adopted');
      expect(await mandateUse()).toEqual({ ...ONE, total_notional: '0.00', day_notional: '0.00' });
      expect(await journal.open(terms.account, 10)).toEqual([]);
    });
  });

  describe('placing an order', () => {
    it('adopts several of one slot at once, in this process and another', async () => {
      await granted();
      const numbers = [1, 2, 3, 4, 5, 6];
      for (const n of numbers) {
        await journal.claim(underMandate(n), NOON);
        await journal.refuse(orderOf(n), problem, NOON + 1000);
      }
      const came = await opened.atOnce(6, ({ orders }, n) =>
        orders.place(orderOf(n + 1), { ...order, id: `order-${n + 1}` }, NOON + 2000),
      );
      expect(came).toEqual(Array(6).fill('adopted'));
      expect(await mandateUse()).toMatchObject({ orders: 6, inSlot: 6 });
    });

    it('is no adoption where nothing had been concluded about it', async () => {
      await journal.claim(first, NOON);
      await journal.markUnknown(key, NOON + 1);
      expect(await journal.place(key, order, NOON + 2)).toBe('placed');
      expect(await journal.writtenOff(0)).toEqual([]);
    });

    it('is final: nothing that is inferred later changes it', async () => {
      const seen = await claimed();
      await journal.place(key, order, NOON + 1);
      expect(await journal.writeOff(seen, problem, times)).toBe('stale');
      expect(await journal.abandon(key, problem, NOON + 2)).toBe('stale');
      expect(await found()).toMatchObject({ state: 'placed', order, writtenOffAt: null });
    });
  });

  describe('writing an order off', () => {
    it.each(['intent', 'unknown'])('records when it was inferred, from %s', async (state) => {
      await journal.claim(first, NOON);
      if (state === 'unknown') await journal.markUnknown(key, NOON + 1);
      expect(await journal.writeOff(await found(), problem, times)).toBe('written_off');
      expect(await found()).toMatchObject({ state: 'rejected', problem, writtenOffAt: NOON + 1000 });
    });

    it('is done for what was seen alone: not after it was sent again, even in the same millisecond', async () => {
      const seen = await claimed();
      expect(await journal.reclaim(seen, NOON)).toBe('claimed');
      expect(await journal.writeOff(seen, problem, times)).toBe('stale');
      expect(await found()).toMatchObject({ state: 'intent', submissions: 2, writtenOffAt: null });
    });

    it('is done for what was seen alone: not after its submission was released', async () => {
      const seen = await claimed();
      await journal.release(key, NOON + 1);
      expect(await journal.writeOff(seen, problem, times)).toBe('stale');
      expect(await found()).toMatchObject({ state: 'intent', submittedAt: null });
    });

    it('is done once', async () => {
      const seen = await claimed();
      await journal.writeOff(seen, problem, times);
      const later = { now: NOON + 5000, reservedUntil: DAY_ENDS + 1 };
      expect(await journal.writeOff(seen, { ...problem, code: 'state_corrupt' }, later)).toBe('stale');
      expect(await found()).toMatchObject({ problem, writtenOffAt: NOON + 1000 });
    });

    it('takes away the right to send it again', async () => {
      const seen = await claimed();
      await journal.writeOff(seen, problem, times);
      expect(await journal.reclaim(seen, NOON + 2000)).toBe('stale');
      expect(await journal.reclaim(await found(), NOON + 2000)).toBe('stale');
      expect(await journal.release(key, NOON + 2000)).toBe('stale');
      await journal.markUnknown(key, NOON + 2000);
      expect((await found()).state).toBe('rejected');
    });

    it('leaves its day’s use until its reservation ends', async () => {
      // Its reservation ends within the day: what is counted changes at that very moment.
      await journal.claim(first, NOON);
      await journal.writeOff(await found(), problem, { now: NOON + 1000, reservedUntil: NOON + HOUR_MS });
      const ONE_ORDER = { day_notional: '200.00', day_orders: 1 };
      expect(await dayUse(NOON + 2000)).toEqual(ONE_ORDER);
      expect(await dayUse(NOON + HOUR_MS - 1)).toEqual(ONE_ORDER);
      expect(await dayUse(NOON + HOUR_MS)).toEqual({ day_notional: '0.00', day_orders: 0 });
      const next = orderOf(2);
      expect(await journal.count(next, NOON + 2000)).toMatchObject(ONE_ORDER);
      expect(await journal.count(next, NOON + HOUR_MS)).toMatchObject({ day_notional: '0.00' });
    });

    it('leaves its mandate’s use and its slot until its reservation ends', async () => {
      await claimedUnderMandate();
      await journal.writeOff(await found(), problem, times);
      expect(await mandateUse()).toEqual(ONE);
      const next = underMandate(2);
      const facts = (now: number) => journal.count(next, now);
      expect((await facts(DAY_ENDS - 1)).mandate).toMatchObject({ used: { orders: 1 }, inSlot: 1 });
      expect((await facts(DAY_ENDS)).mandate).toMatchObject({
        used: { orders: 0, total_notional: '0.00' },
        inSlot: 0,
      });
      expect(await mandateUse(DAY_ENDS)).toEqual(NOTHING);
    });

    it('leaves the slot to others once its reservation has ended, and takes it again where the order is found', async () => {
      await claimedUnderMandate();
      await journal.writeOff(await found(), problem, times);
      expect(await journal.claim(underMandate(2), DAY_ENDS)).toBe('claimed');
      expect(await mandateUse(DAY_ENDS)).toMatchObject({ orders: 1, inSlot: 1 });
      expect(await journal.place(key, order, DAY_ENDS + 1)).toBe('adopted');
      // It counts from then on, though not for that day.
      expect(await mandateUse(DAY_ENDS)).toEqual({
        ...{ total_notional: '400.00', day_notional: '200.00', orders: 2, inSlot: 2 },
      });
    });
  });

  describe('the orders that were written off', () => {
    it('are listed from a moment on, the oldest first, and stay listed once they are found', async () => {
      for (const n of [1, 2, 3]) await journal.claim(orderOf(n), NOON);
      await journal.writeOff(await found(2), problem, { now: NOON + 1000, reservedUntil: DAY_ENDS });
      await journal.writeOff(await found(1), problem, { now: NOON + 2000, reservedUntil: DAY_ENDS });
      const listed = async (since: number) =>
        (await journal.writtenOff(since)).map(({ clientOrderId, state }) => [clientOrderId, state]);
      expect(await listed(NOON)).toEqual([
        ['ta-00000002', 'rejected'],
        ['ta-00000001', 'rejected'],
      ]);
      expect(await listed(NOON + 1001)).toEqual([['ta-00000001', 'rejected']]);
      await journal.place(orderOf(2), order, NOON + 3000);
      expect(await listed(NOON + 1000)).toEqual([
        ['ta-00000002', 'placed'],
        ['ta-00000001', 'rejected'],
      ]);
      expect(await listed(NOON + 2001)).toEqual([]);
    });

    it.each(ways.filter(([way]) => way !== 'written off'))('are not those that were %s', async (_, end) => {
      await journal.claim(first, NOON);
      await end();
      expect(await journal.writtenOff(0)).toEqual([]);
      expect((await found()).writtenOffAt).toBeNull();
    });
  });

  it('tells the orders of which nothing is out', async () => {
    await claimedUnderMandate();
    expect(await journal.unsent()).toEqual([]);
    await journal.release(key, NOON + 1);
    expect((await journal.unsent()).map(({ clientOrderId }) => clientOrderId)).toEqual([key.clientOrderId]);
    await journal.abandon(key, problem, NOON + 2);
    expect(await journal.unsent()).toEqual([]);
  });

  describe('abandoning an order', () => {
    it('ends one of which nothing is out, and gives back its use of the mandate and the day', async () => {
      await claimedUnderMandate();
      await journal.release(key, NOON + 1);
      expect(await mandateUse()).toEqual(ONE);
      expect(await journal.abandon(key, problem, NOON + 2)).toBe('rejected');
      expect(await found()).toMatchObject({ state: 'rejected', problem, writtenOffAt: null });
      expect(await mandateUse()).toEqual(NOTHING);
      expect(await dayUse()).toEqual({ day_notional: '0.00', day_orders: 0 });
    });

    it.each<[string, () => Promise<unknown>]>([
      ['one that is being sent', async () => undefined],
      [
        'one that is being sent again',
        async () => {
          await journal.release(key, NOON + 1);
          await journal.reclaim(await found(), NOON + 2);
        },
      ],
      ['one of unknown outcome', () => journal.markUnknown(key, NOON + 1)],
      ['one that is placed', () => journal.place(key, order, NOON + 1)],
    ])('leaves %s as it is', async (_, begin) => {
      await claimedUnderMandate();
      await begin();
      const before = await found();
      expect(await journal.abandon(key, problem, NOON + 3)).toBe('stale');
      expect(await found()).toEqual(before);
      expect(await mandateUse()).toEqual(ONE);
    });

    it('leaves the reservation of one that was written off', async () => {
      await claimedUnderMandate();
      await journal.writeOff(await found(), problem, times);
      expect(await journal.abandon(key, problem, NOON + 3)).toBe('stale');
      expect(await mandateUse()).toEqual(ONE);
    });

    it('knows nothing of an order that was never claimed', async () => {
      expect(await journal.abandon(key, problem, NOON)).toBe('stale');
    });
  });

  it('knows which symbols a person has traded: only what the broker accepted, and only theirs', async () => {
    const aapl = orderOf(1, { symbol: 'AAPL' });
    await journal.claim(aapl, NOON);
    const refused = orderOf(2, { symbol: 'KO' });
    await journal.claim(refused, NOON);
    await journal.reject(refused, problem, NOON);
    expect(await journal.hasTraded('alice', 'AAPL')).toBe(false);
    await journal.place(aapl, order, NOON + 1);
    expect(await journal.hasTraded('alice', 'AAPL')).toBe(true);
    expect(await journal.hasTraded('alice', 'KO')).toBe(false);
    expect(await journal.hasTraded('alice', 'AAP')).toBe(false);
    expect(await journal.hasTraded('bob', 'AAPL')).toBe(false);
  });

  it('lists whose orders were claimed from a moment on, in which accounts, each once', async () => {
    await journal.claim(orderOf(1, { account: 'PA-OLD' }), NOON - 1);
    await journal.claim(orderOf(2, { account: 'PA-B' }), NOON);
    await journal.claim(orderOf(3, { account: 'PA-A' }), NOON);
    await journal.claim(orderOf(4, { account: 'PA-A' }), NOON + 1);
    await journal.claim({ ...orderOf(5, { account: 'PA-B' }), sub: 'Bob' }, NOON);
    expect(await journal.accountsSince(NOON)).toEqual([
      { sub: 'Bob', account: 'PA-B' },
      { sub: 'alice', account: 'PA-A' },
      { sub: 'alice', account: 'PA-B' },
    ]);
  });
}
