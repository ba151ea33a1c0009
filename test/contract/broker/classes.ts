import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { BrokerTraits } from '../../../src/gateway/broker/broker-traits.ts';
import { matchesApprovedOrder } from '../../../src/gateway/broker/same-order.ts';
import { parseOptionSymbol, symbolAssetClass, symbolTicks } from '../../../src/trading/asset-class.ts';
import { Dec, formatPrice } from '../../../src/trading/decimal.ts';
import { listedContractSchema } from '../../../src/trading/listed-contract.ts';
import { addDays, newYorkDate } from '../../../src/trading/new-york-time.ts';
import type { OrderDraft } from '../../../src/trading/order.ts';
import type { OrderType } from '../../../src/trading/order-types.ts';
import { assetSchema, barSchema, orderSchema, positionSchema, quoteSchema } from '../../../src/trading/views.ts';
import { type Bench, type BrokerFixture, type Changes, exactly, openBench, placed, pricesOf } from './bench.ts';
import { isTaken, takenCases } from './terms.ts';

export interface OtherClass {
  readonly symbol: string;
  /** So many of it cost some $10 to $2,000. */
  readonly qty: string;
  /** Long enough listed for twenty daily bars. */
  readonly bars: boolean;
}

/**
 * What an adapter promises of crypto and options, beside the contract that it keeps for shares; called once for each class
 * in its traits.
 * @param open the fixture of the contract, and a symbol of the class
 */
export function classContract(
  traits: BrokerTraits,
  open: () => Promise<{ readonly fixture: BrokerFixture; readonly other: OtherClass }>,
): void {
  let bench: Bench;
  let other: OtherClass;
  let last: string;
  beforeAll(async () => {
    const opened = await open();
    other = opened.other;
    bench = await openBench(opened.fixture);
    const [quote] = await bench.broker.quotes([other.symbol]);
    if (quote === undefined) throw new Error(`there is no price for ${other.symbol}`);
    last = quote.last;
  });
  afterAll(() => bench.fixture.close());

  const terms = () => {
    const found = traits.orders[symbolAssetClass(other.symbol)];
    if (found === undefined) throw new Error(`${other.symbol} is of a class that is not in the traits`);
    return found;
  };
  const times = (factor: string) => formatPrice(new Dec(last).times(factor), symbolTicks(other.symbol));
  /** A purchase far from where it would trade, unless it is a market order; nothing is held of it, so an option opens. */
  const order = (type: OrderType, changes: Changes = {}): OrderDraft =>
    bench.order(type, {
      symbol: other.symbol,
      qty: other.qty,
      time_in_force: 'gtc',
      ...(parseOptionSymbol(other.symbol) === undefined ? {} : { position_intent: 'buy_to_open' as const }),
      ...{ limit_price: undefined, stop_price: undefined, trail_percent: undefined },
      reference_price: times('1'),
      ...pricesOf(times)[type],
      ...changes,
    });
  const place = (draft: OrderDraft) => placed(bench.broker, draft);

  describe('a read', () => {
    it('of an asset tells that it may be traded', async () => {
      const asset = exactly(assetSchema, await bench.broker.asset(other.symbol));
      expect(asset).toMatchObject({
        symbol: other.symbol,
        name: expect.stringMatching(/\w/),
        tradable: true,
        fractionable: terms().fractions.types.length > 0,
      });
    });

    it('of quotes tells its price beside a share’s, in the order asked', async () => {
      const wanted = [other.symbol, bench.fixture.symbol];
      const quotes = exactly(z.array(quoteSchema), await bench.broker.quotes(wanted));
      expect(quotes.map(({ symbol }) => symbol)).toEqual(wanted);
      expect(Number(quotes[0]?.last)).toBeGreaterThan(0);
    });

    it('of bars tells the newest, the oldest first', async () => {
      if (!other.bars) return;
      const end = new Date(Date.parse((await bench.broker.clock()).timestamp));
      const start = new Date(end.getTime() - 60 * 24 * 3_600_000);
      const query = { symbol: other.symbol, timeframe: '1Day', start, end } as const;
      const bars = exactly(z.array(barSchema), await bench.broker.bars({ ...query, limit: 20 }));
      expect(bars).toHaveLength(20);
      expect(bars.map(({ at }) => at)).toEqual(bars.map(({ at }) => at).sort());
      expect(await bench.broker.bars({ ...query, limit: 5 })).toEqual(bars.slice(-5));
    });

    it('of option contracts tells those of an expiry and a strike, and whether there are more', async () => {
      const option = parseOptionSymbol(other.symbol);
      if (option === undefined) return;
      const { underlying, expiry, right, strike } = option;
      const read = async (expires: { from: string; to: string }, strikes: object, limit: number) => {
        const asked = { underlying, expires, right, strike: strikes, limit };
        const found = await bench.broker.optionContracts?.(asked);
        return { ...found, contracts: exactly(z.array(listedContractSchema), found?.contracts) };
      };
      const day = { from: expiry, to: expiry };
      expect(await read(day, { from: strike, to: strike }, 10)).toMatchObject({
        contracts: [{ symbol: other.symbol, underlying, expiry, right, strike, multiplier: '100', tradable: true }],
        more: false,
      });
      const some = await read(day, {}, 3);
      expect(some).toMatchObject({ contracts: { length: 3 }, more: true });
      expect(some.contracts.every((one) => one.right === right && one.expiry === expiry)).toBe(true);
      const today = newYorkDate(Date.parse((await bench.broker.clock()).timestamp));
      const gone = await read({ from: addDays(today, -400), to: addDays(today, -300) }, {}, 3);
      expect(gone.contracts).toEqual([]);
    });

    it('of the account tells that the class may be traded', async () => {
      const { options_level = 0, crypto_active = false } = await bench.broker.account();
      expect(parseOptionSymbol(other.symbol) === undefined ? crypto_active : options_level >= 2).toBe(true);
    });
  });

  describe('an order', () => {
    it('that rests is what was sent, found by both ids, and cancelled', async () => {
      const { broker } = bench;
      const draft = order('limit');
      const made = exactly(orderSchema, await place(draft));
      expect(matchesApprovedOrder(made, draft)).toBe(true);
      expect(made).toMatchObject({ symbol: other.symbol, asset_class: symbolAssetClass(other.symbol) });
      expect(await broker.order(made.id)).toMatchObject({ id: made.id });
      expect(await broker.orderByClientOrderId(draft.client_order_id)).toMatchObject({ id: made.id });
      const listed = await broker.orders({ status: 'open', limit: 50, symbols: [other.symbol] });
      expect(listed.map(({ id }) => id)).toEqual([made.id]);
      expect(await broker.submit(draft)).toMatchObject({ outcome: 'refused', reason: 'duplicate' });
      expect(await broker.cancel(made.id)).toBe('requested');
      expect(await broker.order(made.id)).toMatchObject({ status: 'canceled', filled_qty: '0' });
    });

    it('that is filled becomes a position of that symbol, and one can be closed', async () => {
      const { broker } = bench;
      const made = await place(order('limit', { limit_price: times('1.2') }));
      expect(await broker.order(made.id)).toMatchObject({ status: 'filled', filled_qty: other.qty });
      const held = exactly(z.array(positionSchema), await broker.positions());
      const position = held.find(({ symbol }) => symbol === other.symbol);
      expect(position).toMatchObject({ side: 'long', qty: expect.stringMatching(/^\d/) });
      const { activities } = await broker.activities({ after: undefined, page: undefined });
      expect(activities[0]).toMatchObject({ kind: 'fill', symbol: other.symbol, side: 'buy' });
      const intent = parseOptionSymbol(other.symbol) === undefined ? {} : { position_intent: 'sell_to_close' as const };
      const qty = position?.qty_available ?? '0';
      const closing = await place(order('limit', { side: 'sell', qty, limit_price: times('0.8'), ...intent }));
      expect(await broker.order(closing.id)).toMatchObject({ status: 'filled' });
      expect((await broker.positions()).some(({ symbol }) => symbol === other.symbol)).toBe(false);
    });
  });

  describe('what it takes', () => {
    const part = () => new Dec(other.qty).plus('0.005').toFixed();
    takenCases((type, changes) => isTaken(bench.broker, order(type, changes)), terms, part);
  });
}
