import { Dec } from '../../trading/decimal.ts';
import { addDays, type IsoDate, newYorkDate, newYorkInstant, weekday } from '../../trading/new-york-time.ts';
import type { Session, Sessions } from '../../trading/trading-calendar.ts';

const MINUTE = 60_000;

type Timeframe = { unit: 'minute' | 'hour'; count: number } | { unit: 'day' | 'week'; count: 1 };

/** Parses Alpaca's notation: `[1-59]Min|T`, `[1-23]Hour|H`, `1Day|1D`, `1Week|1W`. Returns undefined for other text. */
export function parseTimeframe(text: string): Timeframe | undefined {
  const [, digits = '', letters = ''] = /^(\d{1,2})(Min|T|Hour|H|Day|D|Week|W)$/.exec(text) ?? [];
  const count = Number(digits);
  if (letters === 'Min' || letters === 'T') {
    return count >= 1 && count <= 59 ? { unit: 'minute', count } : undefined;
  }
  if (letters === 'Hour' || letters === 'H') {
    return count >= 1 && count <= 23 ? { unit: 'hour', count } : undefined;
  }
  if (count !== 1) return undefined;
  return { unit: letters.startsWith('D') ? 'day' : 'week', count: 1 };
}

export interface BarRequest {
  timeframe: Timeframe;
  start: number;
  end: number;
  limit: number;
  /** `asc`: the earliest `limit` bars, oldest first. `desc`: the latest `limit` bars, newest first. */
  sort: 'asc' | 'desc';
}

export interface MarketBar {
  at: number;
  open: string;
  high: string;
  low: string;
  close: string;
  volume: number;
  trades: number;
  vwap: string;
}

interface BarSource {
  sessions: Sessions;
  now: number;
  /** Returns the last price. Returns undefined before the first trade. */
  last(at: number): string | undefined;
  sampleTimes(from: number, to: number): readonly number[];
  volume(from: number, to: number): number;
}

interface Span {
  at: number;
  from: number;
  to: number;
}

export function buildBars(request: BarRequest, source: BarSource): MarketBar[] {
  const found: MarketBar[] = [];
  for (const span of spans(request, source)) {
    if (found.length >= request.limit) break;
    const bar = buildBar(span, source);
    if (bar !== undefined) found.push(bar);
  }
  return found;
}

function* spans(request: BarRequest, source: BarSource): Generator<Span> {
  const end = Math.min(request.end, source.now);
  const step = request.sort === 'asc' ? 1 : -1;
  const first = addDays(newYorkDate(request.start), request.timeframe.unit === 'week' ? -6 : 0);
  const last = newYorkDate(end);
  for (
    let date = step === 1 ? first : last;
    date >= first && date <= last && request.start <= end;
    date = addDays(date, step)
  ) {
    const ofDay = [...spansOfDay(date, request.timeframe, source)];
    if (step === -1) ofDay.reverse();
    for (const span of ofDay) {
      if (span.at >= request.start && span.at <= end && span.from < source.now) yield span;
    }
  }
}

function* spansOfDay(date: IsoDate, timeframe: Timeframe, source: BarSource): Generator<Span> {
  const midnight = newYorkInstant(date, '00:00');
  if (timeframe.unit === 'week') {
    if (weekday(date) !== 1) return;
    const sessions = Array.from({ length: 7 }, (_, i) => source.sessions.on(addDays(date, i))).filter(
      (session): session is Session => session !== undefined,
    );
    const [opening] = sessions;
    const closing = sessions.at(-1);
    if (opening && closing) yield { at: midnight, from: opening.open, to: closing.close };
    return;
  }
  const session = source.sessions.on(date);
  if (session === undefined) return;
  if (timeframe.unit === 'day') {
    yield { at: midnight, from: session.open, to: session.close };
    return;
  }
  const length = timeframe.count * (timeframe.unit === 'hour' ? 60 : 1) * MINUTE;
  // Aligned to midnight, as in real market data: the first hourly bar of a session starts at 09:00.
  const offset = Math.floor((session.open - midnight) / length) * length;
  for (let at = midnight + offset; at < session.close; at += length) {
    yield { at, from: Math.max(at, session.open), to: Math.min(at + length, session.close) };
  }
}

function buildBar({ at, from, to }: Span, source: BarSource): MarketBar | undefined {
  const until = Math.min(to, source.now);
  const looks = source.sampleTimes(from, until).flatMap((instant) => source.last(instant) ?? []);
  const [open] = looks;
  if (open === undefined) return undefined;
  const prices = looks.map((text) => new Dec(text));
  const volume = source.volume(from, until);
  return {
    at,
    open,
    high: looks[prices.indexOf(prices.reduce((a, b) => (b.gt(a) ? b : a)))] ?? open,
    low: looks[prices.indexOf(prices.reduce((a, b) => (b.lt(a) ? b : a)))] ?? open,
    close: looks.at(-1) ?? open,
    volume,
    trades: Math.max(1, Math.round(volume / 80)),
    vwap: Dec.sum(...prices)
      .div(prices.length)
      .toFixed(4),
  };
}
