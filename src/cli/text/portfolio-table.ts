import { safeLine } from '../../net/shown-text.ts';
import { dollars, sharePrice, shares, signedDollars, signedPercent } from '../../trading/amounts.ts';
import { Dec } from '../../trading/decimal.ts';
import { type PositionPerformance, portfolioPerformance } from '../../trading/portfolio-performance.ts';
import { sparkline } from '../../trading/sparkline.ts';
import type { Account, Position } from '../../trading/views.ts';
import { accountLabel } from './reports.ts';
import { type Column, fittingTable } from './table.ts';

export interface PortfolioFigures {
  readonly account: Account;
  readonly positions: readonly Position[];
  /** Closing prices of the last month by symbol, oldest first; a symbol without any is shown without a line. */
  readonly prices: ReadonlyMap<string, readonly string[]>;
  /** Equity of the last month, oldest first. */
  readonly equity: readonly string[];
}

/** Characters of a little line; a month has about as many trading days twice over. */
const LINE_WIDTH = 12;

/** A share of the whole, `12.3%`. */
function weight(fraction: string): string {
  return `${new Dec(fraction).mul(100).toFixed(1)}%`;
}

/**
 * Account and positions with the day's and the total profit, weights, and a little line for the last month. As many
 * columns as fit: the narrower the terminal, the fewer; what one owns and what it did always stay.
 */
export async function portfolioTable(
  figures: PortfolioFigures,
  screen: { readonly columns: number; readonly unicode: boolean },
): Promise<string> {
  const { account, positions, prices } = figures;
  const { columns, unicode } = screen;
  const whole = portfolioPerformance(account, positions);
  const month = sparkline(figures.equity, LINE_WIDTH, unicode);
  const facts: [string, string][] = [
    ['account', accountLabel(account)],
    ['value', `${dollars(account.equity)}${month === '' ? '' : `  ${month}`}`],
    ['today', `${signedDollars(whole.dayProfit)} (${signedPercent(whole.dayFraction)})`],
    ['total P/L', `${signedDollars(whole.totalProfit)} (${signedPercent(whole.totalFraction)})`],
    ['cash', `${dollars(account.cash)} (${weight(whole.cashWeight)})`],
    ['buying power', dollars(account.buying_power)],
  ];
  const totals = facts.map(([label, value]) => `${label.padEnd(13)} ${value}`);
  if (account.trading_blocked) totals.push('trading       BLOCKED by the broker');
  if (positions.length === 0) return [...totals, '', 'No positions.'].join('\n');

  const rows = [...whole.positions].sort((a, b) =>
    new Dec(b.position.market_value).comparedTo(a.position.market_value),
  );
  const line = ({ position }: PositionPerformance) =>
    sparkline(prices.get(position.symbol) ?? [], LINE_WIDTH, unicode);
  const all: Column<PositionPerformance>[] = [
    { head: 'SYMBOL', cell: ({ position }) => safeLine(position.symbol) },
    { rank: 3, head: 'QTY', align: 'right', cell: ({ position }) => shares(position.qty) },
    { rank: 6, head: 'PRICE', align: 'right', cell: ({ position }) => sharePrice(position.current_price) },
    { head: 'VALUE', align: 'right', cell: ({ position }) => dollars(position.market_value) },
    { rank: 4, head: 'WEIGHT', align: 'right', cell: ({ weight: share }) => weight(share) },
    { rank: 2, head: 'TODAY', align: 'right', cell: ({ dayProfit }) => signedDollars(dayProfit) },
    {
      rank: 8,
      head: 'TODAY %',
      align: 'right',
      cell: ({ position }) => signedPercent(position.change_today),
    },
    { rank: 1, head: 'P/L', align: 'right', cell: ({ position }) => signedDollars(position.unrealized_pl) },
    {
      rank: 7,
      head: 'P/L %',
      align: 'right',
      cell: ({ position }) => signedPercent(position.unrealized_plpc),
    },
    { rank: 5, head: 'MONTH', cell: line },
  ];
  const shown = rows.some((row) => line(row) !== '') ? all : all.filter(({ head }) => head !== 'MONTH');
  return [...totals, '', await fittingTable(shown, rows, columns)].join('\n');
}
