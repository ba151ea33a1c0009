import type { CloseCache } from '../store/check-store.ts';
import type { GatewayClient } from '../tools/gateway/gateway-client.ts';
import { newYorkDate } from '../trading/new-york-time.ts';
import { type PriceHistory, packHistory } from '../trading/portfolio/price-history.ts';
import type { Bar, Quote } from '../trading/views.ts';
import { DAY_MS } from '../values/durations.ts';

const BARS_AT_ONCE = 6;
/** A rule looks back 250 sessions at most, which is about a year. */
const BARS_REACH_MS = 400 * DAY_MS;
/** What is kept of a symbol: more than any rule looks back, and no more with the years. */
const SESSIONS_KEPT = 260;

/** The closes of symbols, but for the session that a quote is of; only what is new is asked for. */
export async function readCloses(
  gateway: GatewayClient,
  cache: CloseCache,
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
      // The session the price is of has no close yet, or has it as that very price.
      const session = Date.parse(newYorkDate(Date.parse(quote.at))) / DAY_MS;
      const history = await closesOf(gateway, cache, { symbol, kept: kept.get(symbol), session, now });
      found.set(symbol, history);
    }
  };
  await Promise.all(Array.from({ length: BARS_AT_ONCE }, worker));
  return found;
}

async function closesOf(
  gateway: GatewayClient,
  cache: Pick<CloseCache, 'put'>,
  {
    symbol,
    kept,
    session,
    now,
  }: {
    readonly symbol: string;
    readonly kept: PriceHistory | undefined;
    readonly session: number;
    readonly now: number;
  },
): Promise<PriceHistory> {
  const before = (history: PriceHistory): PriceHistory => {
    const found = history.days.findIndex((day) => day >= session);
    const end = found === -1 ? history.days.length : found;
    const start = Math.max(0, end - SESSIONS_KEPT);
    return { days: history.days.slice(start, end), closes: history.closes.slice(start, end) };
  };
  const last = kept?.days.at(-1);
  if (kept !== undefined && last !== undefined && now - last * DAY_MS < BARS_REACH_MS) {
    // One bar is asked for twice: where it differs, a split or a correction has changed all before it.
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
  const all = before(packBars(await gateway.bars({ symbol, timeframe: '1Day', start: now - BARS_REACH_MS })));
  await cache.put(symbol, all);
  return all;
}

/** Days and closes of daily bars. */
export function packBars(bars: readonly Bar[]): PriceHistory {
  return packHistory(
    bars.map(({ at, close }) => ({ day: Date.parse(newYorkDate(Date.parse(at))) / DAY_MS, close })),
  );
}
