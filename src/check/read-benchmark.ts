import { dailyCloses } from '../tools/daily-closes.ts';
import type { GatewayClient } from '../tools/gateway/gateway-client.ts';
import { isTradeAgentError } from '../trading/errors.ts';
import type { Snapshot } from './snapshot.ts';

/** The benchmark's closes since the first day known. An ornament: what else a check looks at is looked at without it. */
export async function readBenchmark(
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
