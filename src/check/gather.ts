import { isTradeAgentError } from '../errors/errors.ts';
import type { ActivityCache, CloseCache, ImportStore } from '../store/check-store.ts';
import { dailyCloses } from '../tools/daily-closes.ts';
import type { GatewayClient } from '../tools/gateway/gateway-client.ts';
import { readOpenOrders } from '../tools/order-pages.ts';
import { addDays, newYorkDate } from '../trading/new-york-time.ts';
import { withImported } from '../trading/portfolio/imported.ts';
import { atDayEnds } from '../trading/portfolio/returns.ts';
import { DAY_MS } from '../values/durations.ts';
import { readActivities, readPricesOfTransfers } from './gather-activities.ts';
import { readCloses } from './gather-closes.ts';
import { symbolsOf } from './observe-prices.ts';
import { readQuotes } from './read-quotes.ts';
import type { RulesFile } from './rules-schema.ts';
import type { Snapshot } from './snapshot.ts';
import { unlessUnreadable } from './unreadable.ts';

export interface GatherOptions {
  readonly gateway: GatewayClient;
  readonly file: RulesFile;
  readonly closes: CloseCache;
  /** Of one account. */
  readonly activities: (account: string) => ActivityCache;
  /** What the person imported for an account; nothing where it is left out. */
  readonly imported?: (account: string) => Pick<ImportStore, 'activities'>;
  /** This machine's time, milliseconds since the epoch. */
  readonly localNow: number;
  /** Whether orders are to be suggested: that needs prices of everything that has a target. */
  readonly suggest: boolean;
}

/** Enough days for the usual closing time to be the most frequent one. */
const CALENDAR_DAYS = 28;
/** A clock this far off confuses people who compare times. */
const CLOCK_SKEW_MS = 60_000;

/** Reads everything a check looks at. @throws {TradeAgentError} what the gateway's reads throw, but for prices missing */
export async function gather({
  gateway,
  file,
  closes,
  activities: cached,
  imported,
  localNow,
  suggest,
}: GatherOptions): Promise<Snapshot> {
  const [account, positions, openOrders, clock, history] = await Promise.all([
    gateway.account(),
    gateway.positions(),
    suggest ? readOpenOrders(gateway) : unlessUnreadable(readOpenOrders(gateway)),
    gateway.clock(),
    gateway.valueHistory('5A'),
  ]);
  const now = Date.parse(clock.timestamp);
  const today = newYorkDate(now);
  const held = positions.map(({ symbol }) => symbol);
  const notes: string[] = [];
  if (openOrders === undefined) notes.push('the open orders can’t be read; everything else was looked at');
  if (Math.abs(now - localNow) > CLOCK_SKEW_MS) {
    notes.push(`this machine’s clock and the broker’s differ; the broker’s counts (${clock.timestamp})`);
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
  const ends = atDayEnds(history);
  const activities = told && withImported(told, own);
  const used = activities?.filter((one) => one.imported === true).length ?? 0;
  if (used > 0)
    notes.push(`${used} of the activities were imported from a file: the broker never told of them`);
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

/** What a position already tells needs no quote. */
function symbolsToQuote({ rules, targets }: RulesFile, held: readonly string[], suggest: boolean): string[] {
  const symbols = new Set<string>();
  for (const rule of rules) {
    if (!rule.enabled) continue;
    if (rule.kind === 'price' || rule.kind === 'order' || rule.kind === 'stale') {
      for (const symbol of symbolsOf(rule, held)) symbols.add(symbol);
    } else if (rule.kind === 'move') {
      for (const symbol of symbolsOf(rule, held))
        if (rule.sessions > 1 || !held.includes(symbol)) symbols.add(symbol);
    }
  }
  if (suggest) for (const symbol of Object.keys(targets ?? {})) if (symbol !== 'cash') symbols.add(symbol);
  return [...symbols].sort();
}

function symbolsWithHistory({ rules }: RulesFile, held: readonly string[]): string[] {
  const symbols = rules.flatMap((rule) =>
    rule.enabled && rule.kind === 'move' && rule.sessions > 1 ? symbolsOf(rule, held) : [],
  );
  return [...new Set(symbols)].sort();
}

/** The benchmark's closes since the first day known. An ornament: what else a check looks at is looked at without it. */
async function readBenchmark(
  gateway: GatewayClient,
  symbol: string | undefined,
  [first]: Snapshot['history'],
  notes: string[],
): Promise<Pick<Snapshot, 'benchmark'>> {
  if (symbol === undefined || first === undefined) return {};
  try {
    const closes = await dailyCloses(gateway, { symbol, since: first.at, adjustment: 'all' });
    return { benchmark: { symbol, closes } };
  } catch (error) {
    if (!isTradeAgentError(error) || error.code === 'login_required') throw error;
    notes.push(`the benchmark ${symbol} can’t be read (${error.message})`);
    return {};
  }
}
