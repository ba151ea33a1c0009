import { isTradeAgentError } from '../errors/errors.ts';
import type { ActivityCache, CloseCache } from '../store/check-store.ts';
import type { GatewayClient } from '../tools/gateway/gateway-client.ts';
import { type Activity, externalFlows, FIRST_ACTIVITY, type PriceOn } from '../trading/activity.ts';
import { newYorkDate, newYorkInstant } from '../trading/new-york-time.ts';
import { fromUnits } from '../trading/portfolio/price-history.ts';
import type { Position } from '../trading/views.ts';
import { DAY_MS } from '../values/durations.ts';
import { packBars } from './gather-closes.ts';
import { noPriceCode, unlessUnreadable } from './unreadable.ts';

/** No closing of the market was longer since 1933. */
const LONGEST_CLOSING_MS = 8 * DAY_MS;

/** All activities, oldest first; undefined, and a note of it, where they can't be had. */
export async function readActivities(
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

/** Brokers book late and correct: so much is read again each time, and all of it once a week. */
const ACTIVITY_OVERLAP_MS = 5 * DAY_MS;
const WHOLE_EVERY_MS = 7 * DAY_MS;

async function allActivities(
  gateway: GatewayClient,
  cache: ActivityCache,
  now: number,
): Promise<readonly Activity[]> {
  const kept = await cache.get();
  if (kept === undefined || now < kept.wholeAt || now - kept.wholeAt > WHOLE_EVERY_MS) {
    const all = await gateway.activities({ after: FIRST_ACTIVITY });
    await cache.put(all, now);
    return all;
  }
  const after = kept.wholeAt - ACTIVITY_OVERLAP_MS;
  // A day within what was asked for: at its very edge a broker may count by date or by time.
  const from = after + DAY_MS;
  const fresh = await gateway.activities({ after });
  const told = new Set(fresh.map(({ id }) => id));
  // What is booked late is dated before: it is asked for by when it was booked.
  return [...kept.activities.filter(({ id, at }) => Date.parse(at) < from && !told.has(id)), ...fresh].sort(
    (a, b) => Date.parse(a.at) - Date.parse(b.at),
  );
}

/**
 * What shares moved in or out were worth, where that was not booked with them: by the close of their day, unadjusted, since
 * they are counted as they were then; today by the position's price.
 */
export async function readPricesOfTransfers(
  gateway: GatewayClient,
  cache: CloseCache,
  {
    activities,
    positions,
    today,
  }: {
    readonly activities: readonly Activity[];
    readonly positions: readonly Position[];
    readonly today: string;
  },
): Promise<PriceOn> {
  const prices = new Map<string, Awaited<ReturnType<PriceOn>>>();
  for (const { symbol, at } of externalFlows(activities).unvalued) {
    const day = newYorkDate(Date.parse(at));
    const key = `${symbol} ${day}`;
    if (symbol === null || prices.has(key)) continue;
    prices.set(
      key,
      day === today
        ? positions.find((position) => position.symbol === symbol)?.current_price
        : await closeOn(gateway, cache, symbol, day),
    );
  }
  return (symbol, day) => prices.get(`${symbol} ${day}`);
}

/** The last close up to a day: shares are moved on days without trading, too. */
async function closeOn(gateway: GatewayClient, cache: CloseCache, symbol: string, day: string) {
  const key = `${symbol} ${day}`;
  const kept = await cache.get(key);
  const [units] = kept?.closes ?? [];
  if (units !== undefined) return fromUnits(units);
  const end = newYorkInstant(day, '24:00');
  const bars = await unlessUnreadable(
    gateway.bars({
      symbol,
      timeframe: '1Day',
      start: end - LONGEST_CLOSING_MS,
      end: end - 1,
      adjustment: 'raw',
    }),
  ).catch((error: unknown) => {
    if (noPriceCode(error) === undefined) throw error;
    return undefined;
  });
  const last = bars?.at(-1);
  if (last === undefined) return undefined;
  await cache.put(key, packBars([last]));
  return last.close;
}
