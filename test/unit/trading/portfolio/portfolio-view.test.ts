import { describe, expect, it } from 'vitest';
import { Dec } from '../../../../src/trading/decimal.ts';
import { buildPortfolioView } from '../../../../src/trading/portfolio/portfolio-view.ts';
import { repriceAccount } from '../../../../src/trading/portfolio/reprice.ts';
import { sumTodaysTrades } from '../../../../src/trading/portfolio/todays-trades.ts';
import type { Position } from '../../../../src/trading/views.ts';
import { anAccount, aPosition } from '../../../fixtures/builders.ts';

const account = anAccount({
  cash: '0.30',
  equity: '1.00',
  last_equity: '0.90',
  buying_power: '0.60',
  long_market_value: '0.60',
});
const position = (change: Partial<Position>): Position =>
  aPosition({
    ...{ symbol: 'A', qty: '3', current_price: '0.20', lastday_price: '0.10', market_value: '0.60' },
    ...{ cost_basis: '0.30', unrealized_pl: '0.30', unrealized_plpc: '1', change_today: '1', ...change },
  });
const short = (qty = '3') =>
  position({
    symbol: 'S',
    side: 'short',
    qty,
    market_value: '-0.60',
    cost_basis: '-0.30',
    unrealized_pl: '-0.30',
    unrealized_plpc: '-1',
  });

describe('a portfolio as it is shown', () => {
  it('has a day without what was deposited or withdrawn since the last close', () => {
    const day = (dayFlow: string) => {
      const { day_change, day_change_fraction } = buildPortfolioView(account, [], { dayFlow: new Dec(dayFlow) });
      return [day_change, day_change_fraction];
    };
    // From 0.90 to 1.00, though a dime came, or half a dollar went.
    expect(day('0.10')).toEqual(['0.00', '0']);
    expect(day('0.60')).toEqual(['-0.50', '-0.333333333333']);
    expect(day('-0.50')).toEqual(['0.60', '0.666666666667']);
  });

  describe('has a position’s day', () => {
    const day = (held: Partial<Position>, ...fills: [side: 'buy' | 'sell', qty: string, price: string][]) => {
      const row = { id: 'f', kind: 'fill', type: 'FILL', symbol: held.symbol ?? 'A', amount: null } as const;
      const traded = sumTodaysTrades(
        fills.map(([side, qty, price]) => ({ ...row, side, qty, price, at: '2026-11-25T15:00:00Z' })),
        Date.parse('2026-11-25T05:00:00Z'),
      );
      const [found] = buildPortfolioView(account, [position(held)], { traded }).rows;
      return [found?.day_change, found?.day_change_fraction];
    };
    const rose = { current_price: '110', lastday_price: '100' };

    it('from what was paid, for what was bought today', () => {
      expect(day({ ...rose, qty: '10' })).toEqual(['100.00', '0.1']);
      expect(day({ ...rose, qty: '10' }, ['buy', '10', '112'])).toEqual(['-20.00', '-0.017857142857']);
      // Four since the last close, six since 108.
      expect(day({ ...rose, qty: '10' }, ['buy', '6', '108'])).toEqual(['52.00', '0.049618320611']);
    });

    it('with what was made of those sold today', () => {
      // Ten were held; four of them went for 105.
      expect(day({ ...rose, qty: '6' }, ['sell', '4', '105'])).toEqual(['80.00', '0.08']);
      const both = day({ ...rose, qty: '10' }, ['buy', '5', '108'], ['sell', '5', '109']);
      expect(both).toEqual(['105.00', '0.105']);
    });

    it('of a short likewise, and of an option a hundred times', () => {
      const held = { ...rose, side: 'short' as const, qty: '-10', market_value: '-1100' };
      expect(day(held)).toEqual(['-100.00', '-0.1']);
      expect(day(held, ['sell', '10', '112'])).toEqual(['20.00', '0.017857142857']);
      const option = { symbol: 'AAPL261218C00190000', qty: '2', current_price: '1.50', lastday_price: '1' };
      expect(day(option, ['buy', '2', '1.25'])).toEqual(['50.00', '0.2']);
    });
  });

  it('has an option’s day a hundred times its price, here and repriced', () => {
    const call = position({
      symbol: 'AAPL261218C00190000',
      qty: '2',
      current_price: '1.50',
      lastday_price: '1',
    });
    expect(buildPortfolioView(account, [call]).rows[0]?.day_change).toBe('100.00');
    const [repriced] = repriceAccount(account, [call], new Map([[call.symbol, '1.60']])).positions;
    expect(repriced?.unrealized_pl).toBe('20.3');
  });

  it('is exact where binary floats are not', () => {
    const day = { day_change: '0.30', day_change_fraction: '1' };
    const row = {
      symbol: 'A',
      qty: '3',
      value: '0.60',
      weight: '0.6',
      unrealized: '0.30',
      unrealized_fraction: '1',
    };
    expect(buildPortfolioView(account, [position({})])).toMatchObject({
      simulated: true,
      day_change: '0.10',
      day_change_fraction: '0.111111111111',
      cash_weight: '0.3',
      rows: [{ ...row, ...day, closes: [] }],
    });
  });

  it.each(['3', '-3'])('turns the day of a short position around, amount and fraction (quantity %s)', (qty) => {
    const { rows, total } = buildPortfolioView(account, [short(qty)]);
    const day = { day_change: '-0.30', day_change_fraction: '-1' };
    expect(rows[0]).toMatchObject({ qty: '-3', weight: '-0.6', ...day });
    expect(total).toMatchObject({ unrealized_fraction: '-1', day_change_fraction: '-1' });
  });

  it('adds up what the rows say, short beside long', () => {
    const { total } = buildPortfolioView(account, [position({}), short()]);
    const nothing = { value: '0.00', weight: '0', day_change: '0.00', day_change_fraction: '0' };
    expect(total).toEqual({ ...nothing, cost: '0.60', unrealized: '0.00', unrealized_fraction: '0' });
  });

  it('lists the largest first, whatever its side, and equal ones by symbol', () => {
    const rows = [position({ symbol: 'B' }), short(), position({ symbol: 'C', market_value: '0.61' })];
    expect(buildPortfolioView(account, rows).rows.map(({ symbol }) => symbol)).toEqual(['C', 'B', 'S']);
  });

  it('of an empty account is nothing, not a division by zero', () => {
    const empty = { ...account, cash: '0', equity: '0', last_equity: '0' };
    expect(buildPortfolioView(empty, [])).toMatchObject({
      day_change_fraction: '0',
      cash_weight: '0',
      total: { value: '0.00', weight: '0', unrealized_fraction: '0' },
    });
  });

  it('takes the closes by symbol', () => {
    const closes = new Map([['A', ['1', '2']]]);
    const { rows, equity_history } = buildPortfolioView(account, [position({})], { closes, equity: ['3'] });
    expect(rows[0]?.closes).toEqual(['1', '2']);
    expect(equity_history).toEqual(['3']);
  });
});

describe('other prices', () => {
  it('move value, gain and equity by the difference, and leave cash and cost', () => {
    const moved = repriceAccount(account, [position({})], new Map([['A', '0.25']]));
    expect(moved.account).toEqual({ ...account, equity: '1.15', long_market_value: '0.75' });
    const figures = {
      market_value: '0.75',
      unrealized_pl: '0.45',
      unrealized_plpc: '1.5',
      change_today: '1.5',
    };
    expect(moved.positions).toEqual([position({ current_price: '0.25', ...figures })]);
  });

  it('take from a short position what they give to a long one', () => {
    const moved = repriceAccount(account, [short()], new Map([['S', '0.25']]));
    expect(moved.account).toMatchObject({ equity: '0.85', long_market_value: '0.6' });
    expect(moved.positions[0]).toMatchObject({ market_value: '-0.75', unrealized_pl: '-0.45' });
  });

  it('that are the same, or of what is not held, change nothing', () => {
    const held = [position({})];
    const prices = new Map([
      ['A', '0.20'],
      ['B', '9'],
    ]);
    expect(repriceAccount(account, held, prices)).toEqual({ account, positions: held });
  });
});
