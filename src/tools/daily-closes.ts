import { newYorkDate } from '../trading/new-york-time.ts';
import type { AdjustedClose } from '../trading/portfolio/benchmark.ts';
import type { BarAdjustment } from '../trading/views.ts';
import { defined } from '../values/defined.ts';
import type { GatewayClient } from './gateway/gateway-client.ts';

const BARS_PER_REQUEST = 1000;
const MAX_REQUESTS = 10;
/** Maximum time between two trading sessions. The market has not been closed for longer since 1933. */
const MAX_CLOSURE_MS = 8 * 86_400_000;

/**
 * Returns a symbol's daily closes, oldest first, starting with the last close before `since`.
 * @param query.since epoch milliseconds
 * @throws {TradeAgentError} `unknown_symbol`, and the gateway's errors
 */
export async function readDailyCloses(
  gateway: Pick<GatewayClient, 'bars'>,
  {
    symbol,
    since,
    adjustment,
  }: { readonly symbol: string; readonly since: number; readonly adjustment: BarAdjustment },
): Promise<AdjustedClose[]> {
  const start = since - MAX_CLOSURE_MS;
  const closes: AdjustedClose[] = [];
  let end: number | undefined;
  for (let requests = 0; requests < MAX_REQUESTS; requests++) {
    const bars = await gateway.bars({
      symbol,
      timeframe: '1Day',
      start,
      adjustment,
      ...defined({ end }),
    });
    closes.unshift(...bars.map(({ at, close }) => ({ date: newYorkDate(Date.parse(at)), close })));
    const [oldest] = bars;
    if (oldest === undefined || bars.length < BARS_PER_REQUEST) break;
    // The gateway returns the newest bars, so the next request ends before the oldest of these.
    end = Date.parse(oldest.at) - 1;
  }
  return closes;
}
