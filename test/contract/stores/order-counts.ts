import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { NewPolicyDecision } from '../../../src/store/decision-store.ts';
import type { OrderClaim } from '../../../src/store/order-journal.ts';
import type { CountedTotals } from '../../../src/trading/counted-order.ts';
import type { OrderDraft } from '../../../src/trading/order.ts';
import type { Order, Problem } from '../../../src/trading/views.ts';
import { anOrderDraft } from '../../fixtures/builders.ts';
import { type OpenStores, openForEach } from './gateway-factory.ts';

const NOON = Date.parse('2026-11-24T17:00:00Z');
const problem = { code: 'broker_rejected', status: 422 } as Problem;

/** What every journal of orders promises about what they count for. */
export function orderCountsContract(open: OpenStores): void {
  const opened = openForEach(open);
  const journal = opened.the('orders');
  let number = 0;
  beforeEach(() => {
    number = 0;
  });

  const order = (changes: Partial<OrderDraft> = {}, more: Partial<OrderClaim> = {}): OrderClaim => {
    const id = `ta-${String(++number).padStart(8, '0')}`;
    const draft = anOrderDraft({ client_order_id: id, type: 'limit', limit_price: '180.00', ...changes });
    const approval = { issuer: 'https://issuer.example', jti: `jti-${id}` };
    return { sub: 'alice', clientOrderId: id, digest: `digest-${id}`, approval, draft, ...more };
  };
  const claimed = async (claim: OrderClaim, now = NOON): Promise<OrderClaim> => {
    expect(await journal.claim(claim, now)).toBe('claimed');
    return claim;
  };
  const placed = async (): Promise<OrderClaim> => {
    const claim = await claimed(order());
    await journal.place(claim, brokers('accepted'), NOON);
    return claim;
  };
  const met = (claim = order(), now = NOON): Promise<CountedTotals> => journal.count(claim, now);
  const brokers = (status: Order['status'], more: Partial<Order> = {}) =>
    ({ id: 'order-1', status, qty: '5', filled_qty: '0', filled_avg_price: null, ...more }) as Order;
  const verdict = (effect: 'allow' | 'deny'): NewPolicyDecision => ({
    ...{ sub: 'alice', client: 'client', account: 'PA3ALICE01', action: 'place', stage: 'order', effect },
    subjectId: 'ta-00000001',
    reasons: effect === 'deny' ? ['NOTIONAL_EXCEEDS_MAX_PER_DAY'] : [],
    texts: effect === 'deny' ? ['it is too much'] : [],
    policy: 'digest of the rules',
    facts: { at: 'noon' },
  });

  describe('what orders count for', () => {
    it('is nothing where there are none', async () => {
      expect(await met()).toEqual({
        state: 'active',
        day_notional: '0.00',
        day_orders: 0,
        last_minute: 0,
        open_orders: 0,
        open_symbol_notional: '0.00',
        open_symbol_sells: '0',
        same_before: null,
        opposes_open: false,
      });
    });

    it('is told before and inside the claim alike, and without the order itself', async () => {
      await claimed(order());
      const next = order({ qty: '2' });
      let inside: CountedTotals | undefined;
      const before = await met(next);
      await journal.claim(next, NOON, (counted) => {
        inside = counted;
        return verdict('allow');
      });
      expect(inside).toEqual(before);
      expect(await met(next)).toEqual(before);
      expect(before).toMatchObject({ day_notional: '900.00', day_orders: 1, open_orders: 1 });
    });

    it.each<[string, Partial<OrderDraft>, string]>([
      ['a limit order at its limit', {}, '900.00'],
      ['a market order at the worst', { type: 'market', limit_price: undefined }, '909.05'],
      [
        'an amount at the amount',
        { type: 'market', limit_price: undefined, qty: undefined, notional: '900' },
        '900.00',
      ],
      ['a sale at its price now', { side: 'sell', limit_price: '1.00' }, '900.05'],
      [
        'a purchase that nothing bounds at its price now and the slippage',
        { type: 'trailing_stop', limit_price: undefined, trail_percent: '5' },
        '909.06',
      ],
      ['parts of a cent as a whole one', { qty: '0.333333333' }, '60.00'],
    ])('is: %s', async (_, changes, notional) => {
      await claimed(order(changes));
      expect((await met()).day_notional).toBe(notional);
    });

    it('is the account’s, whoever placed it, and no other account’s', async () => {
      await claimed(order({}, { sub: 'bob' }));
      await claimed(order({ account: 'PA3OTHER01' }));
      expect(await met()).toMatchObject({ day_orders: 1, day_notional: '900.00' });
    });

    it('stays while nobody knows, and is given back once with a refusal', async () => {
      const first = await claimed(order());
      await journal.markUnknown(first, NOON);
      expect(await met()).toMatchObject({ day_notional: '900.00', open_orders: 1 });
      await journal.refuse(first, problem, NOON);
      await journal.reject(first, problem, NOON);
      expect(await met()).toMatchObject({ day_notional: '0.00', day_orders: 0, open_orders: 0 });
    });

    it('stays of an order that was filled, at its worst, and no longer counts as open', async () => {
      const first = await placed();
      expect(await met()).toMatchObject({ open_orders: 1, open_symbol_notional: '900.00' });
      await journal.recordReport(first, brokers('filled', { filled_qty: '5', filled_avg_price: '170' }), NOON);
      expect(await met()).toMatchObject({
        day_notional: '900.00',
        day_orders: 1,
        open_orders: 0,
        open_symbol_notional: '0.00',
      });
    });

    it.each<[string, Order['status'], Partial<Order>, string, number]>([
      ['in part shrinks to that part', 'canceled', { filled_qty: '2' }, '360.00', 0],
      ['not at all shrinks to nothing', 'expired', {}, '0.00', 0],
      ['in part and is open stays whole', 'partially_filled', { filled_qty: '2' }, '900.00', 1],
      ['in part for today stays whole', 'done_for_day', { filled_qty: '2' }, '900.00', 1],
    ])('of an order that was filled %s', async (_, status, more, notional, orders) => {
      const first = await placed();
      await journal.recordReport(first, brokers(status, more), NOON);
      // A second look changes nothing more.
      await journal.recordReport(first, brokers(status, { ...more, filled_qty: '0' }), NOON);
      const found = await met();
      expect(found.open_orders).toBe(orders);
      if (orders === 0) expect(found.day_notional).toBe(notional);
      expect(found.day_orders).toBe(1);
    });

    it('of an order for an amount shrinks to what the part that was filled cost', async () => {
      const first = await claimed(order({ type: 'market', limit_price: undefined, qty: undefined, notional: '900' }));
      await journal.place(first, brokers('accepted', { qty: null }), NOON);
      const part = { qty: null, filled_qty: '2', filled_avg_price: '180.003' };
      await journal.recordReport(first, brokers('canceled', part), NOON);
      expect((await met()).day_notional).toBe('360.01');
    });

    it('is given back by no sale', async () => {
      await claimed(order());
      const sale = await claimed(order({ side: 'sell' }));
      await journal.place(sale, brokers('filled', { filled_qty: '5', filled_avg_price: '180' }), NOON);
      expect(await met()).toMatchObject({ day_notional: '1800.05', day_orders: 2 });
    });

    it('is not that of the order in whose place it is put', async () => {
      await placed();
      const instead = order({ limit_price: '181.00' }, { replaces: 'order-1' });
      expect(await met(instead)).toMatchObject({ day_notional: '0.00', open_orders: 0, same_before: null });
      expect(await met(order())).toMatchObject({ day_notional: '900.00', open_orders: 1 });
    });

    it('tells the sales and the purchases that are open in the symbol, and which opposes', async () => {
      await claimed(order({ side: 'sell', qty: '3' }));
      expect(await met()).toMatchObject({ open_symbol_sells: '3', opposes_open: true });
      expect(await met(order({ side: 'sell' }))).toMatchObject({ opposes_open: false });
      await claimed(order());
      expect(await met(order({ side: 'sell' }))).toMatchObject({
        open_symbol_notional: '900.00',
        opposes_open: true,
      });
      expect(await met(order({ symbol: 'MSFT' }))).toMatchObject({
        open_symbol_notional: '0.00',
        open_symbol_sells: '0',
        opposes_open: false,
        open_orders: 2,
      });
    });

    it('tells how long ago the same was ordered, at whatever price', async () => {
      await claimed(order());
      expect((await met(order({ limit_price: '179.00' }), NOON + 59_999)).same_before).toBe(59);
      expect((await met(order({ qty: '8' }), NOON)).same_before).toBeNull();
      expect((await met(order({ side: 'sell' }), NOON)).same_before).toBeNull();
    });

    const ko = { symbol: 'KO', reference_price: '65.00', limit_price: '65.10' };
    const market = { type: 'market', limit_price: undefined } as const;
    it.each<[string, boolean, Partial<OrderDraft>]>([
      ['a billionth more', true, { qty: '1.000000001' }],
      ['another type', true, { qty: '1', ...market }],
      ['an amount in dollars', true, { qty: undefined, notional: '50', ...market }],
      ['two thirds of it', true, { qty: '0.666666667' }],
      ['half as much again', true, { qty: '1.5' }],
      ['more than half as much again', false, { qty: '1.500000001' }],
      ['less than two thirds of it', false, { qty: '0.666666666' }],
      ['a smaller amount in dollars', false, { qty: undefined, notional: '40', ...market }],
      ['another symbol', false, { qty: '1', symbol: 'PEP' }],
      ['the other side', false, { qty: '1', side: 'sell' }],
    ])('after one share, %s is the same: %s', async (_, isSame, changes) => {
      await claimed(order({ ...ko, qty: '1' }));
      const { same_before } = await met(order({ ...ko, ...changes } as Partial<OrderDraft>), NOON + 5_000);
      expect(same_before).toBe(isSame ? 5 : null);
    });

    it('of dollars compares what they buy at the reference price', async () => {
      await claimed(order({ ...ko, qty: undefined, notional: '65', ...market } as Partial<OrderDraft>));
      expect((await met(order({ ...ko, qty: '1' }), NOON)).same_before).toBe(0);
      expect((await met(order({ ...ko, qty: '2' }), NOON)).same_before).toBeNull();
    });

    it('still tells how long ago the same was ordered once that is over unfilled', async () => {
      const first = await placed();
      await journal.recordReport(first, brokers('canceled'), NOON);
      expect((await met(order(), NOON + 5_000)).same_before).toBe(5);
    });

    it('counts the orders of sixty seconds, however the minutes lie', async () => {
      for (const second of [0, 30, 59]) await claimed(order(), NOON + second * 1000);
      expect((await met(order(), NOON + 59_999)).last_minute).toBe(3);
      expect((await met(order(), NOON + 60_000)).last_minute).toBe(2);
      expect((await met(order(), NOON + 89_999)).last_minute).toBe(2);
      expect((await met(order(), NOON + 119_000)).last_minute).toBe(0);
    });
  });

  describe('the day', () => {
    it.each([
      ['in winter', '2026-11-25T05:00:00Z'],
      ['in summer', '2026-07-01T04:00:00Z'],
      ['after the day that is an hour short', '2027-03-15T04:00:00Z'],
      ['into the day that is an hour short', '2027-03-14T05:00:00Z'],
      ['after the day that is an hour long', '2026-11-02T05:00:00Z'],
      ['into the day that is an hour long', '2026-11-01T04:00:00Z'],
    ])('turns at New York’s midnight: %s', async (_, at) => {
      const midnight = Date.parse(at);
      await claimed(order(), midnight - 2);
      expect(await met(order(), midnight - 1)).toMatchObject({ day_notional: '900.00', day_orders: 1 });
      expect(await met(order(), midnight)).toMatchObject({
        day_notional: '0.00',
        day_orders: 0,
        open_orders: 1,
      });
      await claimed(order(), midnight);
      expect(await met(order(), midnight + 80_000_000)).toMatchObject({ day_orders: 1 });
    });

    it('does not begin again where a clock is set back, nor does the minute', async () => {
      await claimed(order(), NOON);
      const yesterday = NOON - 86_400_000;
      expect(await met(order(), yesterday)).toMatchObject({ day_orders: 1, last_minute: 1, same_before: 0 });
      // What is claimed by a clock that was set back is an order of the later day.
      await claimed(order(), yesterday);
      expect(await met(order(), NOON)).toMatchObject({ day_notional: '1800.00', day_orders: 2 });
      expect(await met(order({ account: 'PA3OTHER01' }), yesterday)).toMatchObject({ day_orders: 0 });
    });

    it('goes on where a clock is set back: a minute is over after a minute', async () => {
      let passed = 0;
      const real = performance.now.bind(performance);
      const spy = vi.spyOn(performance, 'now').mockImplementation(() => real() + passed);
      try {
        await claimed(order(), NOON);
        const back = NOON - 300_000;
        expect(await met(order(), back)).toMatchObject({ last_minute: 1, same_before: 0 });
        passed = 61_000;
        const counted = await met(order(), back + passed);
        expect(counted).toMatchObject({ day_orders: 1, last_minute: 0 });
        expect(counted.same_before).toBeGreaterThanOrEqual(61);
        // What is claimed now is an order of this minute, not of the one before.
        await claimed(order(), back + passed);
        expect(await met(order(), back + passed)).toMatchObject({ day_orders: 2, last_minute: 1 });
      } finally {
        spy.mockRestore();
      }
    });
  });

  describe('a newest order that is dated after the clock', () => {
    const HOUR = 3_600_000;
    it('by a day at most is of the day that it is counted by', async () => {
      await claimed(order(), NOON + 24 * HOUR);
      expect(await met(order(), NOON)).toMatchObject({ day_orders: 1 });
      expect(await met(order(), NOON)).not.toHaveProperty('clock_behind');
    });

    it('by more says so, and gives nothing back', async () => {
      await claimed(order(), NOON + 24 * HOUR + 1000);
      expect(await met(order(), NOON)).toMatchObject({ day_orders: 1, clock_behind: 24 * 3600 + 1 });
      expect(await journal.usage('alice', order().draft.account, NOON)).toMatchObject({
        clock_behind: 24 * 3600 + 1,
      });
      expect(await met(order({ account: 'PA3OTHER01' }), NOON)).not.toHaveProperty('clock_behind');
    });
  });

  describe('a claim that is decided', () => {
    it('writes and uses nothing where it is denied, but the decision', async () => {
      const first = order();
      expect(await journal.claim(first, NOON, () => verdict('deny'))).toBe('denied');
      expect(await journal.find('alice', first.clientOrderId)).toBeUndefined();
      const [decision, ...others] = await opened.stores.decisions.list('alice', { limit: 10 });
      expect(others).toEqual([]);
      expect(decision).toEqual({ ...verdict('deny'), id: expect.any(Number), at: NOON });
      // Its approval was not used up by that.
      expect(await journal.claim(first, NOON, () => verdict('allow'))).toBe('claimed');
      expect(await opened.stores.decisions.list('alice', { effect: 'allow', limit: 10 })).toHaveLength(1);
    });

    it('of an order that is known, or whose approval is used, is not decided', async () => {
      const first = await claimed(order());
      const never = () => {
        throw new Error('decided');
      };
      expect(await journal.claim(first, NOON, never)).toBe('known');
      const second = { ...order(), approval: first.approval };
      expect(await journal.claim(second, NOON, () => verdict('allow'))).toBe('approval_used');
      expect(await opened.stores.decisions.list('alice', { limit: 10 })).toEqual([]);
    });

    it('leaves no trace where deciding fails', async () => {
      const first = order();
      const failing = () => {
        throw new Error('no rules');
      };
      await expect(journal.claim(first, NOON, failing)).rejects.toThrow('no rules');
      expect(await journal.claim(first, NOON, () => verdict('allow'))).toBe('claimed');
    });

    it('sees every one before it, of however many at once, in this process and another', async () => {
      const within = ({ day_notional }: CountedTotals) =>
        verdict(Number(day_notional) + 900 <= 6300 ? 'allow' : 'deny');
      const answers = await opened.atOnce(20, ({ orders }) => orders.claim(order(), NOON, within));
      expect(answers.filter((answer) => answer === 'claimed')).toHaveLength(7);
      expect(answers.filter((answer) => answer === 'denied')).toHaveLength(13);
      expect((await met()).day_notional).toBe('6300.00');
    });

    it('sees a halt, and that positions may only be made smaller', async () => {
      const { halts } = opened.stores;
      const stateOf = async () => (await met()).state;
      await halts.restrict('alice', 'client', NOON + 1000, NOON - 1);
      expect(await stateOf()).toBe('reducing');
      expect((await met(order(), NOON + 1000)).state).toBe('active');
      await halts.halt('alice', 'client', NOON);
      expect(await stateOf()).toBe('halted');
      expect((await met(order({}, { sub: 'bob' }))).state).toBe('active');
    });
  });

  it('the usage of an account is what its orders have used up', async () => {
    await claimed(order());
    const refused = await claimed(order());
    await journal.refuse(refused, problem, NOON);
    expect(await journal.usage('alice', 'PA3ALICE01', NOON)).toEqual({
      state: 'active',
      day_notional: '900.00',
      day_orders: 1,
      last_minute: 1,
      open_orders: 1,
    });
  });

  it('the open orders are those that are not known to be over', async () => {
    const [first, second, third] = [await claimed(order()), await claimed(order()), await claimed(order())];
    await journal.place(first, brokers('accepted'), NOON);
    await journal.refuse(second, problem, NOON);
    const entry = { sub: 'alice', clientOrderId: first.clientOrderId, orderId: 'order-1' };
    const intent = { sub: 'alice', clientOrderId: third.clientOrderId, orderId: null };
    expect(await journal.open('PA3ALICE01', 10)).toEqual([entry, intent]);
    await journal.recordReport(first, brokers('filled', { filled_qty: '5' }), NOON);
    expect(await journal.open('PA3ALICE01', 10)).toEqual([intent]);
    expect(await journal.open('PA3OTHER01', 10)).toEqual([]);
  });
}
