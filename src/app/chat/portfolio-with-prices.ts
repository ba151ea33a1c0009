import { Dec } from '../../trading/decimal.ts';
import type { Account, Position } from '../../trading/views.ts';
import type { App } from '../app.ts';

const MONTH_MS = 30 * 86_400_000;

/** The portfolio, with how it came there. */
export interface PortfolioWithPrices {
  readonly account: Account;
  readonly positions: readonly Position[];
  /** What the account was worth, oldest first; empty where the gateway does not say. */
  readonly equity: readonly string[];
  /** Closing prices of the last month, oldest first, of each of the largest positions. */
  readonly prices: ReadonlyMap<string, readonly string[]>;
}

/** @param largest of so many of the largest positions the prices are asked for, at a request each; with none, no history */
export async function portfolioWithPrices(app: App, largest: number): Promise<PortfolioWithPrices> {
  const gateway = await app.gateway();
  const [account, positions, equity] = await Promise.all([
    gateway.account(),
    gateway.positions(),
    // An ornament: without it the figures still stand.
    largest === 0 ? [] : gateway.equityHistory().catch(() => []),
  ]);
  const shown = [...positions]
    .sort((a, b) => new Dec(b.market_value).comparedTo(a.market_value))
    .slice(0, largest);
  const start = app.clock.now() - MONTH_MS;
  const prices = await Promise.all(
    shown.map(async ({ symbol }): Promise<[string, string[]]> => {
      const bars = await gateway.bars({ symbol, timeframe: '1Day', start }).catch(() => []);
      return [symbol, bars.map(({ close }) => close)];
    }),
  );
  return { account, positions, equity, prices: new Map(prices) };
}
