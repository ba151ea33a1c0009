import { isTradeAgentError } from '../errors/errors.ts';
import type { ActivityCache, ClosingPriceCache, ImportStore } from '../store/check-store.ts';
import { readDailyCloses } from '../tools/daily-closes.ts';
import type { GatewayClient } from '../tools/gateway/gateway-client.ts';
import { readOpenOrders } from '../tools/order-pages.ts';
import { type Activity, type ClosingPriceLookup, EARLIEST_ACTIVITY_MS, externalFlows } from '../trading/activity.ts';
import { replaceCorrected } from '../trading/activity-pages.ts';
import { addDays, newYorkDate, newYorkInstant } from '../trading/new-york-time.ts';
import { mergeImportedActivities } from '../trading/portfolio/imported.ts';
import { type PriceHistory, packHistory, unitsToDollars } from '../trading/portfolio/price-history.ts';
import { toDayEndEquity } from '../trading/portfolio/returns.ts';
import type { Bar, Position, Quote } from '../trading/views.ts';
import { DAY_MS } from '../values/durations.ts';
import { ruleSymbols } from './observe-prices.ts';
import { readQuotes } from './read-quotes.ts';
import { missingPriceCode, undefinedIfUnreadable } from './readable.ts';
import type { Rule, RulesFile } from './rules-schema.ts';
import type { Snapshot } from './snapshot.ts';

interface GatherOptions {
  readonly gateway: GatewayClient;
  readonly file: RulesFile;
  readonly closes: ClosingPriceCache;
  readonly activities: (account: string) => ActivityCache;
  /** Returns an account's imported activities. Can be omitted if nothing was imported. */
  readonly imported?: (account: string) => Pick<ImportStore, 'activities'>;
  readonly localNow: number;
  readonly suggest: boolean;
}

/** How many days of the market calendar to read: enough to find the usual closing time. */
const CALENDAR_DAYS = 28;
/** Maximum difference, in milliseconds, between this machine's clock and the broker's before the result mentions it. */
const CLOCK_SKEW_MS = 60_000;

export async function readSnapshot(options: GatherOptions): Promise<Snapshot> {
  const { gateway, file, closes, activities: cached, imported, localNow, suggest } = options;
  const [account, positions, openOrders, clock, history] = await Promise.all([
    gateway.account(),
    gateway.positions(),
    suggest ? readOpenOrders(gateway) : undefinedIfUnreadable(readOpenOrders(gateway)),
    gateway.clock(),
    gateway.valueHistory('5A'),
  ]);
  const now = Date.parse(clock.timestamp);
  const today = newYorkDate(now);
  const held = positions.map(({ symbol }) => symbol);
  const notes: string[] = [];
  if (openOrders === undefined) notes.push('the open orders can’t be read; everything else was checked');
  if (Math.abs(now - localNow) > CLOCK_SKEW_MS) {
    notes.push(`this machine’s clock differs from the broker’s; the check uses the broker’s time (${clock.timestamp})`);
  }
  const within = Math.max(0, ...file.rules.flatMap((rule) => (rule.kind === 'closure' ? [rule.within] : [])));
  const [calendar, { quotes, noPrice }, told, own] = await Promise.all([
    gateway.calendar({
      start: today,
      end: addDays(today, CALENDAR_DAYS + Math.min(350, Math.ceil(within / DAY_MS))),
    }),
    readQuotes(gateway, symbolsToQuote(file, held, suggest)),
    readActivities(gateway, cached(account.account), now, notes),
    imported?.(account.account).activities() ?? [],
  ]);
  const ends = toDayEndEquity(history);
  const activities = told && mergeImportedActivities(told, own);
  const used = activities?.filter((one) => one.imported === true).length ?? 0;
  if (used > 0) notes.push(`${used} of the activities were imported from a file; your broker did not report them`);
  return {
    now,
    account,
    positions,
    openOrders,
    clock,
    calendar,
    quotes,
    noPrice,
    closes: await readCloses(gateway, closes, symbolsWithHistory(file, held), quotes, now),
    history: ends,
    ...(await readBenchmark(gateway, file.benchmark, ends, notes)),
    activities,
    priceOn: await readPricesOfTransfers(gateway, closes, { activities: activities ?? [], positions, today }),
    notes,
  };
}

function symbolsToQuote({ rules, targets }: RulesFile, held: readonly string[], suggest: boolean): string[] {
  const ofRules = rules.flatMap((rule) => (rule.enabled ? symbolsToQuoteFor(rule, held) : []));
  const ofTargets = suggest ? Object.keys(targets ?? {}).filter((symbol) => symbol !== 'cash') : [];
  return [...new Set([...ofRules, ...ofTargets])].sort();
}

/** Returns the symbols that a rule needs quotes for. Symbols of positions need none, because a position has a price. */
function symbolsToQuoteFor(rule: Rule, held: readonly string[]): readonly string[] {
  if (rule.kind === 'price' || rule.kind === 'order' || rule.kind === 'stale') return ruleSymbols(rule, held);
  if (rule.kind !== 'move') return [];
  return ruleSymbols(rule, held).filter((symbol) => rule.sessions > 1 || !held.includes(symbol));
}

function symbolsWithHistory({ rules }: RulesFile, held: readonly string[]): string[] {
  const symbols = rules.flatMap((rule) =>
    rule.enabled && rule.kind === 'move' && rule.sessions > 1 ? ruleSymbols(rule, held) : [],
  );
  return [...new Set(symbols)].sort();
}

/** Reads the benchmark, which is optional: the check continues without it. */
async function readBenchmark(
  gateway: GatewayClient,
  symbol: string | undefined,
  [first]: Snapshot['history'],
  notes: string[],
): Promise<Pick<Snapshot, 'benchmark'>> {
  if (symbol === undefined || first === undefined) return {};
  try {
    const closes = await readDailyCloses(gateway, { symbol, since: first.at, adjustment: 'all' });
    return { benchmark: { symbol, closes } };
  } catch (error) {
    if (!isTradeAgentError(error) || error.code === 'login_required') throw error;
    notes.push(`the benchmark ${symbol} can’t be read (${error.message})`);
    return {};
  }
}

const MAX_CLOSURE_MS = 8 * DAY_MS;

/** Returns the activities, oldest first. If they can't be read, adds a note and returns undefined. */
async function readActivities(
  gateway: GatewayClient,
  cache: ActivityCache,
  now: number,
  notes: string[],
): Promise<readonly Activity[] | undefined> {
  try {
    return await allActivities(gateway, cache, now);
  } catch (error) {
    if (!isTradeAgentError(error) || !['not_found', 'gateway_refused'].includes(error.code)) throw error;
    notes.push(`deposits and trades can’t be read (${error.message}): returns may count deposits as gains`);
    return undefined;
  }
}

/**
 * The most recent period, in milliseconds, whose activities every check reads again, because brokers add and correct
 * activities late. Once a week, a check reads all activities again.
 */
const ACTIVITY_OVERLAP_MS = 5 * DAY_MS;
const FULL_READ_INTERVAL_MS = 7 * DAY_MS;

async function allActivities(gateway: GatewayClient, cache: ActivityCache, now: number): Promise<readonly Activity[]> {
  const kept = await cache.get();
  if (kept === undefined || now < kept.wholeAt || now - kept.wholeAt > FULL_READ_INTERVAL_MS) {
    const all = await gateway.activities({ after: EARLIEST_ACTIVITY_MS });
    await cache.put(all, now);
    return all;
  }
  const after = kept.wholeAt - ACTIVITY_OVERLAP_MS;
  // A broker may ignore the start's time of day, so the new list is certainly complete only from one day after the
  // start.
  const from = after + DAY_MS;
  const fresh = await gateway.activities({ after });
  const told = new Set(fresh.map(({ id }) => id));
  // The gateway selects by booking time, so an activity that was booked late can have an earlier date.
  const all = [...kept.activities.filter(({ id, at }) => Date.parse(at) < from && !told.has(id)), ...fresh];
  return replaceCorrected(all).sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
}

/**
 * Returns a lookup for the prices of transferred shares that were recorded without a value: the unadjusted close of the
 * transfer's day or, if that is today, the position's current price.
 */
async function readPricesOfTransfers(
  gateway: GatewayClient,
  cache: ClosingPriceCache,
  { activities, positions, today }: { activities: readonly Activity[]; positions: readonly Position[]; today: string },
): Promise<ClosingPriceLookup> {
  const prices = new Map<string, Awaited<ReturnType<ClosingPriceLookup>>>();
  for (const { symbol, at } of externalFlows(activities).unvalued) {
    const day = newYorkDate(Date.parse(at));
    const key = `${symbol} ${day}`;
    if (symbol === null || prices.has(key)) continue;
    prices.set(
      key,
      day === today
        ? positions.find((position) => position.symbol === symbol)?.current_price
        : await readCloseOn(gateway, cache, symbol, day),
    );
  }
  return (symbol, day) => prices.get(`${symbol} ${day}`);
}

/** Returns the last close on or before a day. Shares can also be transferred on days without trading. */
async function readCloseOn(gateway: GatewayClient, cache: ClosingPriceCache, symbol: string, day: string) {
  const key = `${symbol} ${day}`;
  const kept = await cache.get(key);
  const [units] = kept?.closes ?? [];
  if (units !== undefined) return unitsToDollars(units);
  const end = newYorkInstant(day, '24:00');
  const reach = { start: end - MAX_CLOSURE_MS, end: end - 1 };
  const bars = await undefinedIfUnreadable(
    gateway.bars({ symbol, timeframe: '1Day', ...reach, adjustment: 'raw' }),
  ).catch((error: unknown) => {
    if (missingPriceCode(error) === undefined) throw error;
    return undefined;
  });
  const last = bars?.at(-1);
  if (last === undefined) return undefined;
  await cache.put(key, packBars([last]));
  return last.close;
}

const CONCURRENT_BAR_REQUESTS = 6;
/** Period of bars to read. Rules look back at most 250 sessions, about a year. */
const BARS_PERIOD_MS = 400 * DAY_MS;
/** Number of sessions stored, slightly more than any rule looks back. */
const SESSION_RETENTION = 260;

/** Reads each symbol's closing prices before the session of its quote. Requests only closes that are not stored. */
async function readCloses(
  gateway: GatewayClient,
  cache: ClosingPriceCache,
  symbols: readonly string[],
  quotes: ReadonlyMap<string, Quote>,
  now: number,
): Promise<ReadonlyMap<string, PriceHistory>> {
  const found = new Map<string, PriceHistory>();
  const kept = await cache.getAll(symbols);
  const waiting = [...symbols];
  const worker = async () => {
    for (let symbol = waiting.shift(); symbol !== undefined; symbol = waiting.shift()) {
      const quote = quotes.get(symbol);
      if (quote === undefined) continue;
      // Leaves out the session of the quote, which has no close yet or whose close is the quote's price.
      const session = Date.parse(newYorkDate(Date.parse(quote.at))) / DAY_MS;
      const history = await readClosesFor(gateway, cache, { symbol, kept: kept.get(symbol), session, now });
      found.set(symbol, history);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENT_BAR_REQUESTS }, worker));
  return found;
}

async function readClosesFor(
  gateway: GatewayClient,
  cache: Pick<ClosingPriceCache, 'put'>,
  of: { symbol: string; kept: PriceHistory | undefined; session: number; now: number },
): Promise<PriceHistory> {
  const { symbol, kept, session, now } = of;
  const before = (history: PriceHistory): PriceHistory => {
    const found = history.days.findIndex((day) => day >= session);
    const end = found === -1 ? history.days.length : found;
    const start = Math.max(0, end - SESSION_RETENTION);
    return { days: history.days.slice(start, end), closes: history.closes.slice(start, end) };
  };
  const last = kept?.days.at(-1);
  if (kept !== undefined && last !== undefined && now - last * DAY_MS < BARS_PERIOD_MS) {
    // The last stored bar is read again. If it differs, a split or correction has changed all bars before it.
    const fresh = packBars(await gateway.bars({ symbol, timeframe: '1Day', start: last * DAY_MS }));
    const overlap = fresh.days.indexOf(last);
    if (overlap !== -1 && fresh.closes[overlap] === kept.closes.at(-1)) {
      const joined = before({
        days: Int32Array.from([...kept.days, ...fresh.days.slice(overlap + 1)]),
        closes: Float64Array.from([...kept.closes, ...fresh.closes.slice(overlap + 1)]),
      });
      if (joined.days.at(-1) !== last) await cache.put(symbol, joined);
      return joined;
    }
  }
  const all = before(packBars(await gateway.bars({ symbol, timeframe: '1Day', start: now - BARS_PERIOD_MS })));
  await cache.put(symbol, all);
  return all;
}

function packBars(bars: readonly Bar[]): PriceHistory {
  return packHistory(bars.map(({ at, close }) => ({ day: Date.parse(newYorkDate(Date.parse(at))) / DAY_MS, close })));
}
