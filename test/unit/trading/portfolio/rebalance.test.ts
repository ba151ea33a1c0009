import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Dec } from '../../../../src/trading/decimal.ts';
import { checkOrder } from '../../../../src/trading/order.ts';
import {
  allowedDrift,
  type DriftBand,
  driftFromTargets,
  type PortfolioWeight,
} from '../../../../src/trading/portfolio/allocation.ts';
import {
  planRebalancing,
  type RebalanceOptions,
  type TradableSymbol,
} from '../../../../src/trading/portfolio/rebalance.ts';
import { alwaysIn } from '../../../fixtures/always.ts';

const standard: RebalanceOptions = {
  buyOnly: false,
  minOrder: new Dec(50),
  lot: new Dec(1),
  cashReserve: new Dec(0),
  orderType: 'limit',
  slack: new Dec('0.005'),
};

interface Held {
  readonly symbol: string;
  readonly qty: number | string;
  readonly price: number | string;
  readonly target?: number | string;
  readonly busy?: boolean;
}

const of = (symbol: string, qty: number, target: string): Held => ({ symbol, qty, price: 100, target });

function world(held: readonly Held[], cash: number | string, band: DriftBand = { points: new Dec('0.05') }) {
  const tradables = new Map<string, TradableSymbol>(
    held.map(({ symbol, qty: shares, price, busy = false }) => {
      const [bid, qty] = [new Dec(price), new Dec(shares)];
      return [symbol, { symbol, bid, ask: bid, qty, available: qty, value: qty.mul(price), busy }];
    }),
  );
  const equity = [...tradables.values()].reduce((sum, { value }) => sum.plus(value), new Dec(cash));
  const weights: PortfolioWeight[] = [...tradables.values()].map(({ symbol, value }) => ({
    name: symbol,
    value,
    weight: equity.isZero() ? new Dec(0) : value.div(equity),
  }));
  const targets = new Map(
    held.flatMap(({ symbol, target }) => (target === undefined ? [] : [[symbol, new Dec(target)] as const])),
  );
  const account = { equity, cash: new Dec(cash) };
  const drifts = driftFromTargets(targets, weights, band);
  return {
    account,
    drifts,
    tradables,
    suggest: (options: Partial<RebalanceOptions> = {}) =>
      planRebalancing(drifts, tradables, account, { ...standard, ...options }),
  };
}

const inWords = ({ orders }: ReturnType<typeof planRebalancing>) =>
  orders.map(({ request: { side, qty, symbol } }) => `${side} ${qty} ${symbol}`);

describe('the band', () => {
  // Affluent Savvy, "What is the 5 25 rule investing?": 10 % is left at 7.5 % and 12.5 %, 5 % at 3.75 % and 6.25 %.
  it.each([
    ['0.1', '0.025'],
    ['0.05', '0.0125'],
    // Bogleheads wiki, "Rebalancing": from 20 % on the five points are the narrower of the two.
    ['0.2', '0.05'],
    ['0.6', '0.05'],
  ])('of 5/25 around %s is %s', (target, allowed) => {
    expect(allowedDrift(new Dec(target), 'five-25').toFixed()).toBe(allowed);
  });

  it('holds what stands right at its edge', () => {
    const share = { name: 'X', value: new Dec(1), weight: new Dec('0.35') };
    const [drift] = driftFromTargets(new Map([['X', new Dec('0.3')]]), [share], { points: new Dec('0.05') });
    expect(drift?.outside).toBe(false);
  });
});

describe('rebalancing', () => {
  it('buys what is missing from cash, and sells nothing for it', () => {
    const { suggest } = world([of('AAA', 60, '0.55'), of('BBB', 20, '0.4')], 2000);
    expect(inWords(suggest())).toEqual(['buy 19 BBB']);
  });

  it('sells what is overweight, once', () => {
    const { suggest } = world([of('AAA', 58, '0.5'), of('BBB', 42, '0.45')], 0);
    expect(inWords(suggest())).toEqual(['sell 8 AAA']);
  });

  it('pays for what is missing by the largest surplus first, though it is inside its band', () => {
    const { suggest } = world([of('AAA', 33, '0.3'), of('BBB', 34, '0.3'), of('CCC', 33, '0.4')], 0);
    const suggested = suggest();
    expect(inWords(suggested)).toEqual(['sell 4 BBB', 'sell 3 AAA']);
    expect(suggested.orders.map(({ reason }) => reason)).toEqual(['funding', 'funding']);
    expect(suggested.left).toEqual([{ symbol: 'CCC', reason: 'awaits_cash' }]);
  });

  it('sells nothing where it may only buy, and says what it left', () => {
    const { suggest } = world([of('AAA', 60, '0.5'), of('BBB', 30, '0.4')], 1000);
    const suggested = suggest({ buyOnly: true });
    expect(inWords(suggested)).toEqual(['buy 9 BBB']);
    expect(suggested.left).toEqual([{ symbol: 'AAA', reason: 'buy_only' }]);
  });

  it.each<[string, Held, Partial<RebalanceOptions>]>([
    ['order_under_way', { symbol: 'AAA', qty: 0, price: 100, target: '0.5', busy: true }, {}],
    ['no_price', { symbol: 'AAA', qty: 0, price: 0, target: '0.5' }, {}],
    ['below_minimum', { symbol: 'AAA', qty: 0, price: 10, target: '0.5' }, { minOrder: new Dec(6000) }],
    ['less_than_a_lot', { symbol: 'AAA', qty: 0, price: 9000, target: '0.5' }, {}],
    ['awaits_cash', { symbol: 'AAA', qty: 0, price: 10, target: '0.5' }, { cashReserve: new Dec(10_000) }],
  ])('leaves a drift, and says %s', (reason, held, options) => {
    expect(world([held], 10_000).suggest(options)).toEqual({ orders: [], left: [{ symbol: 'AAA', reason }] });
  });

  it('sells no share that is on sale already', () => {
    const { drifts, tradables, account } = world([of('AAA', 60, '0.5')], 4000);
    const aaa = tradables.get('AAA') as TradableSymbol;
    const suggested = (available: number) =>
      planRebalancing(drifts, new Map([['AAA', { ...aaa, available: new Dec(available) }]]), account, standard);
    expect(inWords(suggested(4))).toEqual(['sell 4 AAA']);
    expect(suggested(0).left).toEqual([{ symbol: 'AAA', reason: 'nothing_to_sell' }]);
  });

  it('sells the last share too, where what one counts for has no end: 600 of $400', () => {
    const { drifts, tradables, account } = world([{ symbol: 'AAA', qty: 400, price: 1, target: 0 }], 4000);
    const aaa = { ...(tradables.get('AAA') as TradableSymbol), bid: new Dec('0.6') };
    const [qty, available] = [new Dec(600), new Dec(600)];
    const { orders } = planRebalancing(drifts, new Map([['AAA', { ...aaa, qty, available }]]), account, standard);
    expect(orders.map(({ request }) => request.qty)).toEqual(['600']);
  });

  it('keeps to fractions of a share where those can be traded', () => {
    const { suggest } = world([{ symbol: 'AAA', qty: 0, price: 333, target: '0.5' }], 1000);
    expect(inWords(suggest({ lot: new Dec('0.000000001') }))).toEqual(['buy 1.501501501 AAA']);
  });
});

describe('whatever the portfolio, the suggested orders', () => {
  const holding = fc.record({
    qty: fc.integer({ min: 0, max: 400 }),
    cents: fc.integer({ min: 1, max: 90_000 }),
    part: fc.integer({ min: 0, max: 30 }),
    busy: fc.boolean(),
  });
  const portfolios = fc
    .record({
      rows: fc.array(holding, { minLength: 1, maxLength: 8 }),
      cashPart: fc.integer({ min: 0, max: 20 }),
      cash: fc.integer({ min: 0, max: 100_000 }),
      fiveTwentyFive: fc.boolean(),
      buyOnly: fc.boolean(),
      fractional: fc.boolean(),
      reserve: fc.integer({ min: 0, max: 5000 }),
    })
    .map(({ rows, cashPart, cash, fiveTwentyFive, buyOnly, fractional, reserve }) => {
      const parts = rows.reduce((sum, { part }) => sum + part, cashPart) || 1;
      const held = rows.map(({ qty, cents, part, busy }, index) => ({
        symbol: `S${index}`,
        qty,
        price: new Dec(cents).div(100).toFixed(),
        target: new Dec(part).div(parts).toFixed(6, Dec.ROUND_DOWN),
        busy,
      }));
      const band: DriftBand = fiveTwentyFive ? 'five-25' : { points: new Dec('0.05') };
      const options: RebalanceOptions = {
        ...standard,
        buyOnly,
        lot: new Dec(fractional ? '0.000000001' : 1),
        cashReserve: new Dec(reserve),
      };
      return { held, cash, band, options };
    });
  const check = (law: (made: ReturnType<typeof world> & { options: RebalanceOptions }) => void) =>
    alwaysIn(300)(portfolios, ({ held, cash, band, options }) => law({ ...world(held, cash, band), options }));

  it('never cost more than the cash there is now, less what is to stay', () => {
    check(({ suggest, account, options }) => {
      const bought = suggest(options).orders.filter(({ request }) => request.side === 'buy');
      const cost = Dec.sum(0, ...bought.map(({ request }) => new Dec(request.qty ?? 0).mul(request.limit_price ?? 0)));
      expect(cost.lte(Dec.max(0, account.cash.minus(options.cashReserve)))).toBe(true);
    });
  });

  it('never overshoot a target, from either side', () => {
    check(({ suggest, account, tradables, options }) => {
      for (const { request, target } of suggest(options).orders) {
        const { value, ask } = tradables.get(request.symbol) as TradableSymbol;
        const moved = new Dec(request.qty ?? 0).mul(ask);
        const wanted = target.mul(account.equity);
        if (request.side === 'buy') expect(value.plus(moved).lte(wanted)).toBe(true);
        else expect(value.minus(moved).gte(wanted.minus('1e-20'))).toBe(true);
      }
    });
  });

  it('come within a lot of the target where cash allows and the price is the quote', () => {
    check(({ suggest, account, tradables, options }) => {
      const { orders } = suggest({ ...options, minOrder: new Dec(0) });
      for (const { request, target, reason } of orders) {
        if (reason === 'funding' || request.side === 'buy') continue;
        const { value, ask } = tradables.get(request.symbol) as TradableSymbol;
        const after = value.minus(new Dec(request.qty ?? 0).mul(ask));
        expect(after.minus(target.mul(account.equity)).lt(ask.mul(options.lot).plus('1e-12'))).toBe(true);
      }
    });
  });

  it('are one at most for a symbol, none for one with an order under way, none without a reason', () => {
    check(({ suggest, drifts, tradables, options }) => {
      const { orders, left } = suggest(options);
      const symbols = orders.map(({ request }) => request.symbol);
      expect(new Set(symbols).size).toBe(symbols.length);
      for (const { request, reason } of orders) {
        const drift = drifts.find(({ symbol }) => symbol === request.symbol);
        expect(tradables.get(request.symbol)?.busy).toBe(false);
        if (reason === 'drift') expect(drift?.outside).toBe(true);
        else expect(request.side).toBe('sell');
        if (options.buyOnly) expect(request.side).toBe('buy');
      }
      for (const { symbol, outside } of drifts) {
        if (outside) expect(symbols.includes(symbol) || left.some((one) => one.symbol === symbol)).toBe(true);
      }
    });
  });

  it('are orders the vocabulary accepts: on the tick, no larger than what is held', () => {
    check(({ suggest, tradables, options }) => {
      for (const { request } of suggest(options).orders) {
        expect(() => checkOrder(request)).not.toThrow();
        if (request.side === 'sell')
          expect(new Dec(request.qty ?? 0).lte(tradables.get(request.symbol)?.available ?? 0)).toBe(true);
      }
    });
  });

  it('are the same for the same input, in whatever order it comes', () => {
    check(({ suggest, drifts, tradables, account, options }) => {
      const turned = planRebalancing([...drifts].reverse(), new Map([...tradables].reverse()), account, options);
      expect(JSON.stringify(turned)).toBe(JSON.stringify(suggest(options)));
    });
  });
});
