import { Dec } from '../../../trading/decimal.ts';
import { type ListedSymbol, listedSymbols } from '../../../trading/listed-symbols.ts';
import { type IsoDate, newYorkDate, newYorkInstant } from '../../../trading/new-york-time.ts';
import { type Sessions, sessionsOnDays } from '../../../trading/trading-calendar.ts';
import { memoizePerObject } from '../../../values/memoize-per-object.ts';
import type { Tape } from '../tape.ts';
import type { RecordedDay } from './day-rows.ts';

interface Point {
  readonly at: number;
  readonly price: Dec;
}

/**
 * Creates a tape of recorded days. Within a day, the price moves from the open to the low and the high, and then to the
 * close, each in a third of the session. Of the low and the high, the one farther from the close comes first.
 */
export function createReplayTape(data: ReadonlyMap<string, readonly RecordedDay[]>): Tape {
  const sessions = sessionsOnDays(recordedDates(data));
  const openOf = (date: IsoDate) => sessions.on(date)?.open ?? newYorkInstant(date, '09:30');
  const pointsOf = memoizePerObject((day: RecordedDay) => turningPoints(day, sessions));
  const within = (symbol: string, from: number, to: number): readonly RecordedDay[] => {
    const days = data.get(symbol) ?? [];
    const found: RecordedDay[] = [];
    const [first, last] = [newYorkDate(from), newYorkDate(to)];
    for (let i = lastUpTo(days, last); i >= 0; i--) {
      const day = days[i] as RecordedDay;
      if (day.date < first) break;
      const [open, close] = [pointsOf(day)[0]?.at ?? 0, pointsOf(day).at(-1)?.at ?? 0];
      if (open < to && close > from) found.unshift(day);
    }
    return found;
  };

  return {
    sessions,
    symbol: (symbol) => (data.has(symbol) ? listing(symbol, data.get(symbol) ?? []) : undefined),
    symbols: () => [...data].map(([symbol, days]) => listing(symbol, days)),
    last(symbol, at) {
      const days = data.get(symbol) ?? [];
      const date = newYorkDate(at);
      const today = lastUpTo(days, date);
      const index = days[today]?.date === date && at < openOf(date) ? today - 1 : today;
      const day = days[index];
      if (day === undefined) return undefined;
      return { price: priceAt(pointsOf(day), at), since: newYorkInstant(day.date, '00:00') };
    },
    sampleTimes(symbol, from, to) {
      const days = within(symbol, from, to);
      const turns = days.flatMap((day) => pointsOf(day).map(({ at }) => at));
      // A symbol that did not trade has no prices to sample.
      return days.length === 0 ? [] : [from, ...turns.filter((at) => at > from && at < to), to];
    },
    volume(symbol, from, to) {
      return within(symbol, from, to).reduce((sum, day) => {
        const [open, close] = [pointsOf(day)[0]?.at ?? 0, pointsOf(day).at(-1)?.at ?? 0];
        const part = (Math.min(to, close) - Math.max(from, open)) / (close - open);
        return sum + Math.round(day.volume * part);
      }, 0);
    },
    actions: () => [],
  };
}

export function recordedDates(data: ReadonlyMap<string, readonly RecordedDay[]>): IsoDate[] {
  return [...new Set([...data.values()].flatMap((days) => days.map(({ date }) => date)))].sort();
}

function turningPoints(day: RecordedDay, sessions: Sessions): readonly Point[] {
  const session = sessions.on(day.date);
  if (session === undefined) throw new Error(`no session on ${day.date}`);
  const rises = day.close.gte(day.open);
  const prices = [day.open, rises ? day.low : day.high, rises ? day.high : day.low, day.close];
  const third = (session.close - session.open) / 3;
  return prices.map((price, i) => ({ at: Math.round(session.open + third * i), price }));
}

function priceAt(points: readonly Point[], at: number): Dec {
  const next = points.findIndex((point) => point.at >= at);
  const after = points[next] ?? points.at(-1);
  const before = points[next - 1];
  if (after === undefined) throw new Error('a day must have four prices: open, high, low and close');
  if (next === -1 || before === undefined || after.at === at) return after.price;
  const part = new Dec(at - before.at).div(after.at - before.at);
  return before.price.plus(after.price.minus(before.price).times(part));
}

function lastUpTo(days: readonly RecordedDay[], date: IsoDate): number {
  let [low, high] = [0, days.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((days[middle]?.date ?? '') <= date) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

function listing(symbol: string, days: readonly RecordedDay[]): ListedSymbol {
  const known = listedSymbols().get(symbol) ?? { name: symbol, exchange: 'NYSE', sector: 'Unknown' };
  return { ...known, symbol, snapshotPrice: days.at(-1)?.close.toFixed() ?? '0' } as ListedSymbol;
}
