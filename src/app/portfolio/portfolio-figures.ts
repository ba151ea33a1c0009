import { flowsOf } from '../../trading/activity.ts';
import { Dec, ZERO } from '../../trading/decimal.ts';
import { dayBegan } from '../../trading/new-york-time.ts';
import { dayTrades } from '../../trading/portfolio/day-trades.ts';
import type { PortfolioHistory } from '../../trading/portfolio/portfolio-view.ts';
import type { Account, Position } from '../../trading/views.ts';
import type { App } from '../app.ts';

const MONTH_MS = 30 * 86_400_000;

/** What a view of a portfolio is made of (`portfolioView`). */
export interface PortfolioFigures {
  readonly account: Account;
  readonly positions: readonly Position[];
  readonly history: PortfolioHistory;
}

/**
 * Account and positions as the gateway has them now.
 * @param options.lines of so many of the largest positions the month's closes are asked for, at a request each; with
 *   none, no history at all
 * @throws {TradeAgentError} `login_required` and what the gateway's reads throw
 */
export async function portfolioFigures(
  app: App,
  { lines = 0 }: { readonly lines?: number } = {},
): Promise<PortfolioFigures> {
  const gateway = await app.gateway();
  const began = dayBegan(app.clock.now());
  const [account, positions, activities, values] = await Promise.all([
    gateway.account(),
    gateway.positions(),
    // Without them the day's figure has what was deposited in it, as the broker's own has, and a position's is since the
    // last close, whenever it was bought.
    gateway.activities({ after: began - 1 }).catch(() => []),
    // An ornament: without it the figures still stand.
    lines === 0 ? [] : gateway.valueHistory('1M').catch(() => []),
  ]);
  const shown = [...positions]
    .sort((a, b) => new Dec(b.market_value).abs().comparedTo(new Dec(a.market_value).abs()))
    .slice(0, lines);
  const start = app.clock.now() - MONTH_MS;
  const closes = await Promise.all(
    shown.map(async ({ symbol }): Promise<[string, string[]]> => {
      const bars = await gateway.bars({ symbol, timeframe: '1Day', start }).catch(() => []);
      return [symbol, bars.map(({ close }) => close)];
    }),
  );
  const priceOf = (symbol: string) => positions.find((one) => one.symbol === symbol)?.current_price;
  const moved = flowsOf(activities, priceOf)
    .filter(({ at }) => at >= began)
    .reduce((sum, { amount }) => sum.plus(amount), ZERO);
  // Equity at the close before an account's first day may have what it began with.
  const dayFlow = values.some(({ at }) => Date.parse(at) < began) ? moved : undefined;
  const equity = values.map((value) => value.equity);
  const traded = dayTrades(activities, began);
  return { account, positions, history: { equity, closes: new Map(closes), dayFlow, traded } };
}
