import { describe, expect, it } from 'vitest';
import { listToolsForCaller } from '../../../src/mcp/tools/catalog.ts';
import { formatStandingOrderCommand, parseStandingOrderRequest } from '../../../src/tools/place-standing-order.ts';
import { parseMandateEnd } from '../../../src/trading/mandate/mandate-end.ts';
import { newYorkInstant } from '../../../src/trading/new-york-time.ts';

const NOW = newYorkInstant('2026-12-03', '11:00');
const vti = { side: 'buy', symbol: 'VTI', notional: '200', every: 'monday' };

describe('a model’s arguments of a standing order', () => {
  it('are read as those of an order are: numbers, and null for what is left out', () => {
    expect(parseStandingOrderRequest({ ...vti, notional: 200, qty: null, until: 'friday' })).toEqual({
      standing: {
        order: { symbol: 'VTI', side: 'buy', notional: '200', type: 'market', time_in_force: 'day' },
        when: { every: 'monday', at: '10:00' },
      },
      end: { until: 'friday' },
    });
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['no size', { notional: undefined }, 'give either qty or notional'],
    ['two sizes', { qty: '1' }, 'give either qty or notional'],
    ['no time', { every: undefined }, 'give exactly one of "every", "below" and "above"'],
    ['two', { below: '100' }, 'give exactly one of "every", "below" and "above"'],
    ['a time of the night', { at: '03:30' }, 'must be a New York time'],
    ['a time for a price', { every: undefined, below: '100', at: '10:00' }, 'is allowed only with "every"'],
    ['two ends', { until: 'friday', before: 'friday' }, 'give either until or before, not both'],
    ['an end that is no day', { until: 'next friday' }, 'must be a day such as'],
    ['a coin', { symbol: 'BTC/USD' }, 'a stock or fund'],
    ['an option', { symbol: 'AAPL261218C00190000' }, 'a stock or fund'],
    ['a word for a symbol', { symbol: '$(rm)' }, 'symbol'],
    ['what there is none of', { stop_price: '1' }, 'stop_price'],
  ])('are refused with %s', (_, more, message) => {
    expect(() => parseStandingOrderRequest({ ...vti, ...more })).toThrow(message);
  });

  it('are a command that a person may type', () => {
    const command = (args: Record<string, unknown>) => formatStandingOrderCommand(parseStandingOrderRequest(args), NOW);
    expect(command({ ...vti, limit_price: '250', at: '11:30' })).toBe(
      'trade-agent mandates add --buy VTI --amount 200 --limit 250 --every monday --at 11:30',
    );
    expect(command({ side: 'sell', symbol: 'NVDA', qty: '5', below: '100', before: 'friday' })).toBe(
      'trade-agent mandates add --sell NVDA --qty 5 --below 100 --until 2026-12-03',
    );
  });
});

it('no MCP client is offered a standing order, or any mandate, whatever it may do', () => {
  const everything = new Set([
    'market:read',
    'portfolio:read',
    'orders:read',
    'orders:cancel',
    'orders:propose',
    'messages:propose',
    'orders:mandate',
  ]);
  const names = listToolsForCaller({ scopes: everything }, false).map(({ name }) => name);
  expect(names).toContain('place_order');
  expect(names.filter((name) => /standing|mandate/.test(name))).toEqual([]);
});

describe('an end as people say it', () => {
  const end = (said: Parameters<typeof parseMandateEnd>[0], now = NOW) =>
    new Date(parseMandateEnd(said, now)).toISOString();
  it.each([
    [{ until: 'friday' }, '2026-12-05T05:00:00.000Z'],
    [{ before: 'friday' }, '2026-12-04T05:00:00.000Z'],
    [{ before: 'saturday' }, '2026-12-05T05:00:00.000Z'],
    [{ until: 'today' }, '2026-12-04T05:00:00.000Z'],
    [{ until: 'tomorrow' }, '2026-12-05T05:00:00.000Z'],
    [{ until: '12-18' }, '2026-12-19T05:00:00.000Z'],
    [{ until: '11-02' }, '2027-11-03T04:00:00.000Z'],
    [{ until: '2026-12-18' }, '2026-12-19T05:00:00.000Z'],
  ])('%j', (said, at) => expect(end(said)).toBe(at));

  it.each([
    [{ until: 'thursday' }, 'today is thursday'],
    [{ before: 'thursday' }, 'today is thursday'],
    [{ before: 'today' }, 'no trading day left'],
    [{ until: '2026-02-30' }, '2026-02-30 is not a date'],
    [{ until: '2025-12-18' }, 'no trading day left'],
  ])('%j is none', (said, message) => expect(() => end(said)).toThrow(message));

  it('is over with the last session', () => {
    const evening = newYorkInstant('2026-12-04', '16:00');
    expect(() => end({ until: 'sunday' }, evening)).toThrow('no trading day left until sunday');
    expect(end({ until: 'monday' }, evening)).toBe('2026-12-08T05:00:00.000Z');
  });
});
