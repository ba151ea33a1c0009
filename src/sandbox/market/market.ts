import type { Clock } from '../../machine/clock.ts';
import { Dec, formatPrice, isOnTick, parseDecimal } from '../../trading/decimal.ts';
import { type ListedSymbol, listedSymbols } from '../../trading/listed-symbols.ts';
import { addDays, type IsoDate, newYorkDate, ONE_DAY_MS, toIsoDate } from '../../trading/new-york-time.ts';
import { calendarSessions, type MarketHours, type Session, type Sessions } from '../../trading/trading-calendar.ts';
import { memoizePerObject } from '../../values/memoize-per-object.ts';
import { type Adjustment, adjustmentFactor, adjustPrices } from './adjustment.ts';
import { type BarRequest, buildBars, type MarketBar } from './bars.ts';
import {
  actionSubject,
  type CorporateAction,
  type CorporateActionOf,
  compareByBookingDay,
  effectiveAt,
  endsSymbol,
  processDate,
  successorSymbol,
} from './corporate-action.ts';
import { hashText, pricePath, uniformHash } from './price-path.ts';
import type { Tape } from './tape.ts';

interface MarketOptions {
  seed: string;
  clock: Clock;
  hours: MarketHours;
  symbols?: readonly ListedSymbol[];
  tape?: Tape;
}

/** A quote. Prices are decimal strings in dollars a share, rounded to the tick. Times are epoch milliseconds. */
export interface MarketQuote {
  symbol: string;
  bid: string;
  ask: string;
  last: string;
  bidSize: number;
  askSize: number;
  at: number;
}

export interface Market extends MarketTimes {
  readonly seed: string;
  /** Returns a symbol's listing. Returns undefined after the symbol was merged or renamed. */
  symbol(symbol: string): ListedSymbol | undefined;
  symbols(): readonly ListedSymbol[];
  /** Returns the quote. Outside trading hours, it is the quote at the last close. Undefined for an unknown symbol. */
  quote(symbol: string, at?: number): MarketQuote | undefined;
  previousClose(symbol: string, at?: number): string | undefined;
  /** Returns bars. They are unadjusted unless adjustments are given. Undefined for an unknown symbol. */
  bars(symbol: string, request: BarRequest, adjustments?: readonly Adjustment[]): MarketBar[] | undefined;
  /** Returns the combined price factor of all splits after `after` and up to `upTo`: 0.5 if each share became two. */
  splitFactor(symbol: string, after: number, upTo: number): Dec;
  /** Announces an action. @throws {RangeError} for an unknown symbol, or if another action already ends the symbol */
  announce(action: CorporateAction): void;
  /** Returns actions sorted by posting day, oldest first. Both days are inclusive. */
  corporateActions(symbols: readonly string[], start: IsoDate, end: IsoDate): CorporateAction[];
  /**
   * Fixes a symbol's price, or lets it move again if `price` is undefined. For tests and demos.
   * @throws {RangeError} for an unknown symbol or invalid price
   */
  setPrice(symbol: string, price: string | undefined): void;
}

const MAX_PAYMENT_DELAY_DAYS = 120;

export function createMarket(options: MarketOptions): Market {
  const { seed, clock, tape = randomWalkTape(seed, options.hours, options.symbols) } = options;
  const { sessions } = tape;
  const actions = createAnnouncedActions();
  const held: HeldPrices = new Map();
  const times = createMarketTimes(sessions, () => clock.now());

  const prices = marketPrices(tape, actions, held);
  const { onTape, lastPrice } = prices;

  const tradedNow = (symbol: string): ListedSymbol | undefined => {
    const known = onTape(symbol);
    const end = actions.endOf(symbol);
    const before = actions.before(symbol);
    if (known === undefined || (end !== undefined && clock.now() >= end)) return undefined;
    if (before !== undefined && clock.now() < before.until) return undefined;
    return { ...known, symbol };
  };

  const corporateActions: Market['corporateActions'] = (symbols, start, end) =>
    [
      ...actions.all.filter((action) => symbols.includes(actionSubject(action))),
      ...symbols.flatMap((symbol) => (tape.symbol(symbol) ? tape.actions(symbol, start, end) : [])),
    ]
      .filter((action) => processDate(action) >= start && processDate(action) <= end)
      .sort(compareByBookingDay);

  return {
    ...times,
    seed,
    symbol: tradedNow,
    symbols: () => {
      const renamed = actions.all.flatMap((action) => (action.kind === 'name_change' ? action.new_symbol : []));
      const listed = tape.symbols().map(({ symbol }) => symbol);
      return [...new Set([...listed, ...renamed])].flatMap((symbol) => tradedNow(symbol) ?? []);
    },
    quote(symbol, at = clock.now()) {
      const known = onTape(symbol);
      const last = known && lastPrice(symbol, at);
      if (known === undefined || last === undefined) return undefined;
      const shares = (from: number) => tape.volume(known.symbol, from, from + 3_600_000);
      const when = tradingTime(at, sessions);
      return {
        symbol,
        last,
        ...spread(last),
        bidSize: roundLots(shares(when)),
        askSize: roundLots(shares(when + 60_000)),
        at: when,
      };
    },
    previousClose: (symbol, at = clock.now()) => onTape(symbol) && lastPrice(symbol, times.previousClosing(at), at),
    bars(symbol, request, asked = []) {
      const known = onTape(symbol);
      if (known === undefined) return undefined;
      const found = buildBars(request, {
        sessions,
        now: clock.now(),
        last: (at) => lastPrice(symbol, at),
        sampleTimes: (from, to) => tape.sampleTimes(known.symbol, from, to),
        volume: (from, to) => tape.volume(known.symbol, from, to),
      });
      if (asked.length === 0 || found.length === 0) return found;
      const oldest = Math.min(...found.map(({ at }) => at));
      const until = addDays(newYorkDate(clock.now()), MAX_PAYMENT_DELAY_DAYS);
      const later = corporateActions([symbol], newYorkDate(oldest), until)
        .filter((action) => effectiveAt(action) <= clock.now())
        .flatMap((action) => prices.factor(symbol, action, asked) ?? []);
      return found.map((bar) => adjustPrices(bar, later));
    },
    splitFactor: actions.splitFactor,
    announce(action) {
      const why = announcementObjection(action, actions, (symbol) => onTape(symbol) !== undefined);
      if (why !== undefined) throw new RangeError(why);
      actions.all.push(action);
    },
    corporateActions,
    setPrice(symbol, fixed) {
      if (onTape(symbol) === undefined) throw new RangeError(`no such symbol: ${JSON.stringify(symbol)}`);
      if (fixed === undefined) {
        held.delete(symbol);
        return;
      }
      if (parseDecimal(fixed).lte(0) || !isOnTick(fixed)) throw new RangeError(`not a price: ${fixed}`);
      held.set(symbol, { price: formatPrice(fixed), since: clock.now() });
    },
  };
}

function spread(last: string): { bid: string; ask: string } {
  const mid = new Dec(last);
  const tick = new Dec(mid.gte(1) ? '0.01' : '0.0001');
  const ticks = Dec.max(1, mid.times('0.0001').div(tick).round());
  const bid = Dec.max(mid.minus(ticks.divToInt(2).times(tick)), new Dec('0.0001'));
  const ask = Dec.max(mid, bid).plus(ticks.minus(ticks.divToInt(2)).times(tick));
  return { bid: formatPrice(bid), ask: formatPrice(ask) };
}

function roundLots(shares: number): number {
  return 100 * Math.max(1, Math.round(shares / 100) % 20);
}

type HeldPrices = Map<string, { readonly price: string; readonly since: number }>;

function marketPrices(tape: Tape, actions: AnnouncedActions, held: HeldPrices) {
  const onTape = (symbol: string): ListedSymbol | undefined => {
    const known = tape.symbol(symbol);
    if (known !== undefined) return known;
    const before = actions.before(symbol);
    return before === undefined ? undefined : onTape(before.symbol);
  };

  /** Returns the last trade's price, adjusted for splits and spin-offs up to `asOf`. */
  const lastPrice = (symbol: string, at: number, asOf = at): string | undefined => {
    const hold = held.get(symbol);
    if (hold !== undefined && at >= hold.since) return hold.price;
    const until = (actions.endOf(symbol) ?? Number.POSITIVE_INFINITY) - 1;
    const when = tradingTime(Math.min(at, until), tape.sessions);
    const traded = tape.last(onTape(symbol)?.symbol ?? symbol, when);
    if (traded === undefined) return undefined;
    const [after, upTo] = [traded.since, Math.min(asOf, until)];
    const spunOff = actions.all
      .filter((action) => action.kind === 'spin_off' && action.source_symbol === symbol)
      .filter((action) => effectiveAt(action) > after && effectiveAt(action) <= upTo)
      .map((action) => factor(symbol, action, ['spin-off'])?.price ?? new Dec(1));
    return formatPrice(
      spunOff.reduce(
        (product, one) => product.times(one),
        traded.price.times(actions.splitFactor(symbol, after, upTo)),
      ),
    );
  };

  const factor = (symbol: string, action: CorporateAction, asked: readonly Adjustment[]) => {
    const at = effectiveAt(action);
    const before = lastPrice(symbol, at - 1);
    const worth = (other: string) => {
      const begins = lastPrice(other, tape.sessions.from(newYorkDate(at)).open);
      return begins === undefined ? undefined : new Dec(begins);
    };
    return adjustmentFactor(action, asked, before === undefined ? undefined : new Dec(before), worth);
  };

  return { onTape, lastPrice, factor };
}

/** The times when a market trades, in milliseconds since the epoch. Time parameters default to the current time. */
type MarketTimes = ReturnType<typeof createMarketTimes>;

function createMarketTimes(sessions: Sessions, now: () => number) {
  const currentOrNextSession = (at = now()): Session => {
    const session = sessions.from(newYorkDate(at));
    return at < session.close ? session : sessions.from(addDays(session.date, 1));
  };
  return {
    hours: sessions.hours,
    now,
    currentOrNextSession,
    previousClosing(at: number = now()): number {
      const present = lastOpened(at, sessions);
      return sessions.upTo(addDays(present.date, -1)).close;
    },
    isOpen(at: number = now()): boolean {
      const session = sessions.on(newYorkDate(at));
      return session !== undefined && at >= session.open && at < session.close;
    },
    isExtendedOpen(at: number = now()): boolean {
      const session = sessions.on(newYorkDate(at));
      return session !== undefined && at >= session.extendedOpen && at < session.extendedClose;
    },
    /** In a market that is always open, both the next open and the next close are the end of the day. */
    nextOpen(at: number = now()): number {
      const session = currentOrNextSession(at);
      return session.open > at ? session.open : sessions.from(addDays(session.date, 1)).open;
    },
    nextClose: (at: number = now()): number => currentOrNextSession(at).close,
    sessions(start: IsoDate, end: IsoDate): Session[] {
      const found: Session[] = [];
      for (let date = start; date <= end; date = addDays(date, 1)) {
        const session = sessions.on(date);
        if (session !== undefined) found.push(session);
      }
      return found;
    },
  };
}

function tradingTime(at: number, sessions: Sessions): number {
  return sessions.hours === 'always' ? at : Math.min(at, lastOpened(at, sessions).close);
}

function lastOpened(at: number, sessions: Sessions): Session {
  const today = sessions.upTo(newYorkDate(at));
  return at >= today.open ? today : sessions.upTo(addDays(today.date, -1));
}

type AnnouncedActions = ReturnType<typeof createAnnouncedActions>;

function createAnnouncedActions() {
  const all: CorporateAction[] = [];
  const before = (symbol: string) => {
    const change = all.find((action) => action.kind === 'name_change' && action.new_symbol === symbol);
    return change === undefined ? undefined : { symbol: actionSubject(change), until: effectiveAt(change) };
  };
  const splitFactor = (symbol: string, after: number, upTo: number): Dec => {
    const older = before(symbol);
    let factor = older === undefined ? new Dec(1) : splitFactor(older.symbol, after, upTo);
    for (const action of all) {
      if (action.kind !== 'forward_split' && action.kind !== 'reverse_split') continue;
      const at = effectiveAt(action);
      if (action.symbol === symbol && at > after && at <= upTo)
        factor = factor.times(action.old_rate).div(action.new_rate);
    }
    return factor;
  };
  return {
    all,
    endOf(symbol: string) {
      const end = all.find((action) => endsSymbol(action) && actionSubject(action) === symbol);
      return end === undefined ? undefined : effectiveAt(end);
    },
    before,
    splitFactor,
  };
}

function announcementObjection(
  action: CorporateAction,
  known: AnnouncedActions,
  hasPrices: (symbol: string) => boolean,
): string | undefined {
  const subject = actionSubject(action);
  const other = successorSymbol(action);
  if (!hasPrices(subject)) return `the market has no symbol ${subject}`;
  if (known.endOf(subject) !== undefined) return `an earlier announcement already ends ${subject}`;
  if (other === undefined) return undefined;
  if (other === subject) return `${subject} can’t become itself`;
  if (action.kind === 'name_change') return hasPrices(other) ? `${other} belongs to another company` : undefined;
  return hasPrices(other) ? undefined : `the market has no prices for ${other}`;
}

const SAMPLES_PER_SPAN = 16;
const SESSION_HOURS = 6.5;

/**
 * Creates a random walk from each snapshot price, determined by the seed.
 * @param symbols replaces the bundled symbols
 */
function randomWalkTape(seed: string, hours: MarketHours, symbols?: readonly ListedSymbol[]): Tape {
  const listed: ReadonlyMap<string, ListedSymbol> =
    symbols === undefined ? listedSymbols() : new Map(symbols.map((symbol) => [symbol.symbol, symbol]));
  const sessions = calendarSessions(hours);
  const path = memoizePerObject(({ symbol, snapshotPrice }: ListedSymbol) => pricePath(seed, symbol, snapshotPrice));
  const pathOf = (symbol: string) => {
    const known = listed.get(symbol);
    return known && path(known);
  };
  const busier = hours === 'always' ? 1 : ONE_DAY_MS / (SESSION_HOURS * 3_600_000);

  return {
    sessions,
    symbol: (symbol) => listed.get(symbol),
    symbols: () => [...listed.values()],
    last(symbol, at) {
      const price = pathOf(symbol)?.at(at);
      if (price === undefined) return undefined;
      return { price: new Dec(Math.max(price, 0.0001)), since: Number.NEGATIVE_INFINITY };
    },
    sampleTimes: (_symbol, from, to) =>
      Array.from({ length: SAMPLES_PER_SPAN + 1 }, (_, i) => Math.round(from + ((to - from) * i) / SAMPLES_PER_SPAN)),
    volume: (symbol, from, to) => pathOf(symbol)?.volume(from, Math.max(to - from, 1) * busier) ?? 0,
    actions: (symbol, start, end) => {
      const known = listed.get(symbol);
      return known === undefined ? [] : seededDividends(seed, known, sessions, start, end);
    },
  };
}

const PAYING = 0.6;
const PAID_AFTER = 21;

function seededDividends(
  seed: string,
  { symbol, snapshotPrice }: ListedSymbol,
  sessions: Sessions,
  start: IsoDate,
  end: IsoDate,
): CorporateActionOf<'cash_dividend'>[] {
  const key = hashText(`dividends\n${seed}\n${symbol}`);
  if (uniformHash(key, 1, 0) >= PAYING) return [];
  const quarterly = new Dec(snapshotPrice).times(2 + Math.floor(uniformHash(key, 2, 0) * 6)).div(1000);
  const rate = Dec.max(quarterly.toDecimalPlaces(2), '0.01').toFixed();
  const offset = Math.floor(uniformHash(key, 3, 0) * 3);
  const day = 1 + Math.floor(uniformHash(key, 4, 0) * 24);
  const found: CorporateActionOf<'cash_dividend'>[] = [];
  // Starts earlier than `start`, because an ex-date is weeks before the payment.
  const from = new Date(`${addDays(start, -120)}T00:00:00Z`);
  for (let month = 0; ; month += 1) {
    const first = new Date(Date.UTC(from.getUTCFullYear(), from.getUTCMonth() + month, day));
    const date = toIsoDate(first.getTime());
    if (date > end) return found;
    if (first.getUTCMonth() % 3 !== offset) continue;
    const ex_date = sessions.from(date).date;
    const payable_date = sessions.from(addDays(ex_date, PAID_AFTER)).date;
    if (payable_date >= start && payable_date <= end)
      found.push({ kind: 'cash_dividend', symbol, rate, special: false, ex_date, payable_date });
  }
}
