import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type BarRequest, parseTimeframe } from '../../../../src/sandbox/market/bars.ts';
import { createMarket } from '../../../../src/sandbox/market/market.ts';
import { SNAPSHOT_TIME } from '../../../../src/sandbox/market/price-path.ts';
import { Dec, isOnTick } from '../../../../src/trading/decimal.ts';
import { listedSymbols } from '../../../../src/trading/listed-symbols.ts';
import type { MarketHours } from '../../../../src/trading/trading-calendar.ts';
import { always } from '../../../fixtures/always.ts';

const NOON = Date.parse('2026-11-24T17:00:00Z');
const MINUTE = 60_000;
const DAY = 86_400_000;
const marketAt = (now: number, hours: MarketHours = 'always', seed = 'test') =>
  createMarket({
    seed,
    hours,
    clock: { now: () => now, monotonic: () => now, sleep: () => Promise.reject(new Error('nobody sleeps')) },
  });
const symbols = [...listedSymbols().keys()];
const instants = fc.integer({ min: Date.UTC(2024, 0, 1), max: Date.UTC(2030, 0, 1) });
const last = (symbol: string, at: number, hours: MarketHours = 'always', seed = 'test') =>
  marketAt(at, hours, seed).quote(symbol)?.last ?? '';

describe('the packaged symbols', () => {
  it('are 1,500 well-formed stocks and five funds with a price on the tick', () => {
    expect(symbols).toHaveLength(1505);
    for (const { symbol, name, snapshotPrice, exchange, sector } of listedSymbols().values()) {
      expect(symbol).toMatch(/^[A-Z]{1,5}(\.[A-Z])?$/);
      expect(isOnTick(snapshotPrice)).toBe(true);
      expect(['NASDAQ', 'NYSE', 'AMEX', 'ARCA']).toContain(exchange);
      expect(name && sector).toBeTruthy();
    }
  });
});

describe('a price', () => {
  it('is the same for the same seed, symbol and time, in any market and in any order of asking', () => {
    always(fc.constantFrom(...symbols), instants, (symbol, at) => {
      const market = marketAt(NOON);
      market.quote(symbol, at - 12_345);
      expect(market.quote(symbol, at)).toEqual(marketAt(at).quote(symbol));
    });
  });

  it('is another with another seed', () => {
    expect(last('AAPL', NOON, 'always', 'one')).not.toBe(last('AAPL', NOON, 'always', 'two'));
  });

  it('stands at the snapshot at the anchor', () => {
    for (const { symbol, snapshotPrice } of [...listedSymbols().values()].slice(0, 200)) {
      expect(last(symbol, SNAPSHOT_TIME)).toBe(snapshotPrice);
    }
  });

  it('moves gently: seldom more than 0.1 % in a minute, about 1.5 % in a day', () => {
    const symbol = 'BRK.A'; // the dearest: rounding to the tick does not blur the measure
    const market = marketAt(NOON);
    const moves = (span: number) =>
      Array.from({ length: 2000 }, (_, i) => {
        const at = Date.UTC(2025, 0, 1) + i * 7.3 * 3_600_000;
        return Math.log(Number(market.quote(symbol, at + span)?.last) / Number(market.quote(symbol, at)?.last));
      });
    const inMinutes = moves(MINUTE);
    expect(inMinutes.filter((move) => Math.abs(move) > 0.001).length).toBeLessThan(20);
    const daily = Math.sqrt(moves(DAY).reduce((sum, move) => sum + move ** 2, 0) / 2000);
    expect(daily).toBeGreaterThan(0.008);
    expect(daily).toBeLessThan(0.025);
  });

  it('lies with bid and ask on the tick, bid ≤ last < ask, a few basis points apart', () => {
    always(fc.constantFrom(...symbols), instants, (symbol, at) => {
      const quote = marketAt(at).quote(symbol);
      if (quote === undefined) throw new Error('no quote');
      for (const price of [quote.bid, quote.ask, quote.last]) expect(isOnTick(price)).toBe(true);
      expect(new Dec(quote.bid).gt(0)).toBe(true);
      expect(new Dec(quote.bid).lte(quote.last)).toBe(true);
      expect(new Dec(quote.ask).gt(quote.last)).toBe(true);
      const spread = new Dec(quote.ask).minus(quote.bid);
      expect(spread.lte(Dec.max('0.01', new Dec(quote.last).times('0.0002')))).toBe(true);
    });
  });

  it('stands still while the exchange is closed', () => {
    const close = Date.parse('2026-11-25T21:00:00Z');
    const thanksgiving = Date.parse('2026-11-26T18:00:00Z');
    expect(last('AAPL', thanksgiving, 'exchange')).toBe(last('AAPL', close, 'exchange'));
    expect(marketAt(thanksgiving, 'exchange').isOpen()).toBe(false);
    expect(marketAt(close - 1, 'exchange').isOpen()).toBe(true);
    expect(marketAt(close, 'exchange').isOpen()).toBe(false);
  });

  it('is held where a test puts it, from then on, until it is let go', () => {
    const market = marketAt(NOON);
    const free = market.quote('AAPL');
    const before = market.quote('AAPL', NOON - DAY);
    market.setPrice('AAPL', '180.25');
    expect(market.quote('AAPL')?.last).toBe('180.25');
    expect(market.quote('AAPL', NOON - DAY)).toEqual(before);
    market.setPrice('AAPL', undefined);
    expect(market.quote('AAPL')).toEqual(free);
    expect(() => market.setPrice('AAPL', '180.255')).toThrow(RangeError);
    expect(() => market.setPrice('AAPL', '0')).toThrow(RangeError);
    expect(() => market.setPrice('NOSUCH', '1.00')).toThrow(RangeError);
  });

  it('of an unknown symbol does not exist', () => {
    expect(marketAt(NOON).quote('NOSUCH')).toBeUndefined();
  });
});

describe('the previous close', () => {
  it('is the price at the last close before the present session', () => {
    const market = marketAt(NOON, 'exchange');
    expect(market.previousClose('AAPL')).toBe(last('AAPL', Date.parse('2026-11-23T21:00:00Z'), 'exchange'));
    // On Saturday, Friday's half-day is the present session, and the one before it Wednesday's.
    const saturday = Date.parse('2026-11-28T17:00:00Z');
    expect(new Date(market.previousClosing(saturday)).toISOString()).toBe('2026-11-25T21:00:00.000Z');
  });
});

describe('the opening hours', () => {
  it('tell when the exchange next opens and closes', () => {
    const sunday = Date.parse('2026-11-22T17:00:00Z');
    const market = marketAt(sunday, 'exchange');
    const iso = (at: number) => new Date(at).toISOString();
    expect(iso(market.nextOpen())).toBe('2026-11-23T14:30:00.000Z');
    expect(iso(market.nextClose())).toBe('2026-11-23T21:00:00.000Z');
    expect(iso(market.nextOpen(NOON))).toBe('2026-11-25T14:30:00.000Z');
    expect(iso(market.nextClose(NOON))).toBe('2026-11-24T21:00:00.000Z');
    expect(market.isExtendedOpen(Date.parse('2026-11-24T09:00:00Z'))).toBe(true);
  });
});

describe('bars', () => {
  const request = (timeframe: string, days: number, changes: Partial<BarRequest> = {}): BarRequest => {
    const parsed = parseTimeframe(timeframe);
    if (parsed === undefined) throw new Error('no such timeframe');
    return { timeframe: parsed, start: NOON - days * DAY, end: NOON, limit: 10_000, sort: 'asc', ...changes };
  };

  it.each([
    ['1Min', 'always'],
    ['15Min', 'exchange'],
    ['1Hour', 'exchange'],
    ['1Day', 'exchange'],
    ['1Week', 'exchange'],
  ] as const)(
    'of %s on %s hours rise in time, hold open and close between low and high, and end now',
    (timeframe, hours) => {
      const market = marketAt(NOON, hours);
      const found = market.bars('AAPL', request(timeframe, timeframe === '1Min' ? 1 : 60)) ?? [];
      expect(found.length).toBeGreaterThan(7);
      for (const [i, bar] of found.entries()) {
        expect(bar.at).toBeGreaterThan(found[i - 1]?.at ?? 0);
        for (const price of [bar.open, bar.close]) {
          expect(new Dec(bar.low).lte(price) && new Dec(bar.high).gte(price)).toBe(true);
        }
        expect(bar.volume).toBeGreaterThan(0);
      }
      expect(found.at(-1)?.close).toBe(market.quote('AAPL')?.last);
    },
  );

  it('of a day exist on trading days alone and join the close to the previous close', () => {
    const market = marketAt(NOON, 'exchange');
    const days = market.bars('AAPL', request('1Day', 30)) ?? [];
    expect(days.map(({ at }) => new Date(at).getUTCDay()).every((day) => day >= 1 && day <= 5)).toBe(true);
    expect(days.at(-2)?.close).toBe(market.previousClose('AAPL'));
  });

  it('newest first are the same bars backwards, and limited to the latest', () => {
    const market = marketAt(NOON, 'exchange');
    const up = market.bars('AAPL', request('1Hour', 10)) ?? [];
    const down = market.bars('AAPL', request('1Hour', 10, { sort: 'desc' })) ?? [];
    expect([...down].reverse()).toEqual(up);
    expect(market.bars('AAPL', request('1Hour', 10, { sort: 'desc', limit: 3 }))).toEqual(down.slice(0, 3));
  });

  it('never show the future', () => {
    const market = marketAt(NOON);
    const found = market.bars('AAPL', request('1Hour', 1, { end: NOON + 10 * DAY })) ?? [];
    expect(found.every(({ at }) => at <= NOON)).toBe(true);
  });

  it.each(['60Min', '0Min', '24Hour', '2Day', '1Year', 'Day', ''])('know no timeframe %j', (timeframe) => {
    expect(parseTimeframe(timeframe)).toBeUndefined();
  });
});
