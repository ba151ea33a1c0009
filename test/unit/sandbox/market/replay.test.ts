import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TradeAgentError } from '../../../../src/errors/errors.ts';
import { createMarket } from '../../../../src/sandbox/market/market.ts';
import { readMarketFolder } from '../../../../src/sandbox/market/replay/read-folder.ts';
import { createReplayClock } from '../../../../src/sandbox/market/replay/replay-clock.ts';
import { createReplayTape } from '../../../../src/sandbox/market/replay/replay-tape.ts';
import { openSandboxMarket } from '../../../../src/sandbox/sandbox.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'trade-agent-days-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
const closes = (symbol: string, ...days: string[]) =>
  write(`${symbol}.csv`, `date,open,high,low,close\n${days.join('\n')}\n`);
const clockAt = (now: number) => ({
  now: () => now,
  monotonic: () => now,
  sleep: () => Promise.reject(new Error('nobody sleeps')),
});
const at = (text: string) => Date.parse(text);
const marketAt = (now: string) =>
  createMarket({
    seed: 'test',
    hours: 'exchange',
    clock: clockAt(at(now)),
    tape: createReplayTape(readMarketFolder(folder).days),
  });
const failure = (read: () => unknown): TradeAgentError => {
  try {
    read();
  } catch (error) {
    if (error instanceof TradeAgentError) return error;
    throw error;
  }
  throw new Error('it did not fail');
};

/** Monday 9 March 2020 and the two days after, one rising, one falling. */
const APPLE = `Date,Open,High,Low,Close,Adj Close,Volume
2020-03-09,263.75,278.09,263.00,266.17,260.10,71686200
2020-03-10,277.14,286.44,269.37,285.34,278.83,71322500
2020-03-11,277.39,281.22,271.86,275.43,269.15,64094900
`;

describe('a folder of days', () => {
  it('holds a CSV or a JSON file a symbol, in words or as Alpaca’s bars', () => {
    write('AAPL.csv', APPLE);
    write('BRK.B.json', '[{"date": "2020-03-09", "open": 193.1, "high": 199.27, "low": 190.5, "close": 191.33}]');
    write(
      'SPY.json',
      '{"symbol": "SPY", "bars": [{"t": "2020-03-09T04:00:00Z", "o": 275.3, "h": 284.19, "l": 273.45, "c": 274.23, "v": 309417300, "n": 5, "vw": 276.1}]}',
    );
    write('README.txt', 'where these come from');
    mkdirSync(join(folder, 'older'));
    const { days } = readMarketFolder(folder);
    expect([...days.keys()]).toEqual(['AAPL', 'BRK.B', 'SPY']);
    expect(days.get('AAPL')?.map(({ date, close, volume }) => [date, close.toFixed(), volume])).toEqual([
      ['2020-03-09', '266.17', 71686200],
      ['2020-03-10', '285.34', 71322500],
      ['2020-03-11', '275.43', 64094900],
    ]);
    expect(days.get('SPY')?.[0]).toMatchObject({ date: '2020-03-09', volume: 309417300 });
    expect(days.get('BRK.B')?.[0]?.open.toFixed()).toBe('193.1');
  });

  it('may have the newest day first', () => {
    const [header, ...rows] = APPLE.trim().split('\n');
    write('AAPL.csv', [header, ...rows.reverse()].join('\n'));
    const days = readMarketFolder(folder).days.get('AAPL');
    expect(days?.map(({ date }) => date)).toEqual(['2020-03-09', '2020-03-10', '2020-03-11']);
  });

  it.each([
    ['a price that is none', APPLE.replace('286.44', 'null'), 3, /high must be a price .* not "null"/],
    ['a price of nothing', APPLE.replace('269.37', '0'), 3, /low must be a price/],
    ['a high below the close', APPLE.replace('286.44', '280.00'), 3, /high \(280\) is not the highest/],
    ['a low above the open', APPLE.replace('271.86', '278.00'), 4, /low \(278\) is not the lowest/],
    ['a date that is none', APPLE.replace('2020-03-10', '2020-02-30'), 3, /date must be .* "2020-02-30"/],
    ['a date as Americans write it', APPLE.replace('2020-03-10', '3/10/2020'), 3, /date must be/],
    ['a day twice', APPLE.replace('2020-03-11', '2020-03-10'), 4, /2020-03-10 is already on line 3/],
    ['a volume that is none', APPLE.replace('71322500', '71M'), 3, /volume must be/],
    ['a column that is missing', APPLE.replace('Close,Adj', 'Adj'), 2, /./],
    ['a row that is cut off', APPLE.replace(',71322500', ''), 3, /./],
    ['no day', 'Date,Open,High,Low,Close\n', undefined, /no market days/],
  ])('is refused by file and line for %s', (_, text, line, why) => {
    write('AAPL.csv', text);
    const error = failure(() => readMarketFolder(folder));
    expect(error.code).toBe('invalid_config');
    expect(error.message).toContain(`AAPL.csv${line === undefined ? ':' : `:${line}:`}`);
    expect(error.message).toMatch(why);
  });

  it.each([
    ['text that is no JSON', '[\n{"date": "2020-03-09",\n]', 3, /not JSON/],
    ['another shape', '{"days": []}', 1, /must be a list of days/],
    [
      'a value that is missing',
      '[\n  {"date": "2020-03-09", "open": 1, "high": 2, "low": 1, "close": 1},\n  {"date": "2020-03-10", "open": 1}\n]',
      3,
      /high is missing/,
    ],
    ['something that is no day', '[\n\n 5]', 3, /must be an object/],
  ])('is refused by file and line for %s in JSON', (_, text, line, why) => {
    write('AAPL.json', text);
    const error = failure(() => readMarketFolder(folder));
    expect(error.message).toContain(`AAPL.json:${line}:`);
    expect(error.message).toMatch(why);
  });

  it.each([
    ['has no days', () => write('README', ''), /no market files/],
    ['names a file by no symbol', () => write('apple days.csv', APPLE), /named after its symbol/],
    ['has a symbol twice', () => [write('AAPL.csv', APPLE), write('AAPL.json', '[]')], /already has another file/],
    [
      'has actions nobody knows',
      () => [write('AAPL.csv', APPLE), write('corporate-actions.json', '{"dividends": []}')],
      /corporate-actions\.json: .*dividends/s,
    ],
  ])('is refused where it %s', (_, make, why) => {
    make();
    expect(failure(() => readMarketFolder(folder)).message).toMatch(why);
    expect(failure(() => readMarketFolder(join(folder, 'none'))).message).toContain('ENOENT');
  });
});

describe('days played again', () => {
  beforeEach(() => {
    write('AAPL.csv', APPLE);
    closes('KO', '2020-03-09,52.00,53.00,50.00,51.00', '2020-03-11,48.00,49.00,47.00,47.50');
  });
  const last = (now: string, symbol = 'AAPL') => marketAt(now).quote(symbol)?.last;

  it('go from the open over the extremes to the close, a third of the session each', () => {
    // 6.5 hours from 13:30 UTC; Monday rises, so the low comes first; Wednesday falls, so the high does.
    expect(last('2020-03-09T13:30:00Z')).toBe('263.75');
    expect(last('2020-03-09T15:40:00Z')).toBe('263.00');
    expect(last('2020-03-09T17:50:00Z')).toBe('278.09');
    expect(last('2020-03-09T20:00:00Z')).toBe('266.17');
    expect(last('2020-03-11T15:40:00Z')).toBe('281.22');
    // Half way from 263.00 up to 278.09.
    expect(last('2020-03-09T16:45:00Z')).toBe('270.54');
  });

  it('stand still while the market is closed, have no price before the first, and the last close after the last', () => {
    expect(last('2020-03-10T13:29:00Z')).toBe('266.17');
    expect(last('2020-03-09T13:29:00Z')).toBeUndefined();
    expect(last('2020-04-01T17:00:00Z')).toBe('275.43');
    expect(last('2020-03-10T17:00:00Z', 'KO')).toBe('51.00');
    expect(last('2020-03-10T17:00:00Z', 'MSFT')).toBeUndefined();
  });

  it('come back as the bars they were, and none of a day on which nothing traded', () => {
    const bars = (symbol: string, unit: 'day' | 'week') =>
      marketAt('2020-03-12T02:00:00Z').bars(symbol, {
        timeframe: { unit, count: 1 },
        start: at('2020-03-01T05:00:00Z'),
        end: at('2020-03-12T02:00:00Z'),
        limit: 100,
        sort: 'asc',
      });
    const [first, second] = bars('AAPL', 'day') ?? [];
    const monday = { at: at('2020-03-09T04:00:00Z'), close: '266.17', volume: 71686200 };
    expect(first).toMatchObject({ ...monday, open: '263.75', high: '278.09', low: '263.00' });
    const tuesday = { close: '285.34', volume: 71322500 };
    expect(second).toMatchObject({ ...tuesday, open: '277.14', high: '286.44', low: '269.37' });
    expect(bars('KO', 'day')?.map(({ close }) => close)).toEqual(['51.00', '47.50']);
    const week = { close: '275.43', volume: 71686200 + 71322500 + 64094900 };
    expect(bars('AAPL', 'week')).toMatchObject([{ ...week, open: '263.75', high: '286.44', low: '263.00' }]);
  });

  it('have sessions on the days there are', () => {
    closes('KO', '2020-03-06,52.00,53.00,50.00,51.00', '2020-03-13,48.00,49.00,47.00,47.50');
    const market = marketAt('2020-03-12T17:00:00Z');
    const days = market.sessions('2020-03-06', '2020-03-16').map(({ date }) => date.slice(-2));
    expect(days).toEqual(['06', '09', '10', '11', '13', '16']);
    expect(market.isOpen()).toBe(false);
    expect(market.nextOpen()).toBe(at('2020-03-13T13:30:00Z'));
  });

  it('show their splits themselves, once, and before the open of the day too', () => {
    closes('TSLA', '2020-08-28,2295.00,2318.00,2186.00,2213.00', '2020-08-31,444.00,500.00,440.00,498.00');
    const split = { symbol: 'TSLA', new_rate: '5', old_rate: '1', ex_date: '2020-08-31' };
    const price = (now: string) => {
      const market = marketAt(now);
      market.announce({ kind: 'forward_split', ...split });
      return market.quote('TSLA')?.last;
    };
    expect(price('2020-08-30T17:00:00Z')).toBe('2213.00');
    expect(price('2020-08-31T12:00:00Z')).toBe('442.60');
    expect(price('2020-08-31T13:30:00Z')).toBe('444.00');
    expect(price('2020-08-31T20:00:00Z')).toBe('498.00');
  });
});

describe('the market’s own time', () => {
  const start = at('2020-03-09T13:30:00Z');
  const end = at('2020-03-12T00:30:00Z');
  const open = (now: number, restarts = false) =>
    createReplayClock({ clock: clockAt(now), file: join(folder, 'clock.json'), start, end, restarts });

  it('runs beside the real one, over a restart too, and stands still at the end', () => {
    const today = at('2026-11-26T17:00:00Z');
    expect(open(today).now()).toBe(start);
    expect(open(today + 3_600_000).now()).toBe(start + 3_600_000);
    expect(open(today + 90 * 86_400_000).now()).toBe(end);
    expect(open(today + 5_000_000, true).now()).toBe(start);
  });

  it('is moved on, never back, and not beyond the last day', () => {
    const clock = open(at('2026-11-26T17:00:00Z'));
    clock.moveTo(start + 1000);
    expect(clock.now()).toBe(start + 1000);
    expect(() => clock.moveTo(start)).toThrow(/can’t go back/);
    expect(() => clock.moveTo(end + 1)).toThrow(/days end before/);
    expect(clock.now()).toBe(start + 1000);
  });

  it('begins on the day that is asked for, or the next that was traded', () => {
    write('AAPL.csv', APPLE);
    const begin = (day?: string) => {
      const home = mkdtempSync(join(folder, 'home-'));
      const data = { folder, ...(day === undefined ? {} : { start: day }) };
      return openSandboxMarket({
        seed: 's',
        clock: clockAt(at('2026-11-26T17:00:00Z')),
        hours: 'always',
        data,
        folder: home,
      }).market.now();
    };
    expect(begin()).toBe(start);
    expect(begin('2020-03-10')).toBe(at('2020-03-10T13:30:00Z'));
    expect(failure(() => begin('2020-03-12')).message).toContain('from 2020-03-09 to 2020-03-11');
    expect(failure(() => begin('2020-03-08')).code).toBe('usage');
  });
});
