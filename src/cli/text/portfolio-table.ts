import { safeLine } from '../../text/sanitize.ts';
import {
  formatDollarAmount,
  formatSharePrice,
  formatShares,
  formatSignedDollars,
  formatSignedPercent,
  formatTodayChange,
} from '../../trading/amounts.ts';
import { Dec } from '../../trading/decimal.ts';
import { environmentName } from '../../trading/environment.ts';
import type { PortfolioRow, PortfolioTotal, PortfolioView } from '../../trading/portfolio/portfolio-view.ts';
import { sparkline } from '../../trading/sparkline.ts';
import { type Column, fitTable, numberColumn } from './table.ts';
import { type Paint, paintSignedAmount, plainPaint } from './theme.ts';

function weightText(fraction: string): string {
  return `${new Dec(fraction).mul(100).toFixed(1)}%`;
}

const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/** Draws a bar. The largest weight is `width` characters long. A short position's bar shows its absolute weight. */
function weightBar(weight: string, all: readonly string[], width: number, unicode: boolean): string {
  const largest = Dec.max(0, ...all.map((one) => new Dec(one).abs()));
  if (largest.isZero()) return '';
  const eighths = new Dec(weight)
    .abs()
    .div(largest)
    .mul(width * 8)
    .round()
    .toNumber();
  if (!unicode) return '#'.repeat(Math.round(eighths / 8));
  return '█'.repeat(Math.floor(eighths / 8)) + (EIGHTHS[eighths % 8] ?? '');
}

export interface PortfolioScreen {
  readonly columns: number;
  readonly unicode: boolean;
  readonly paint?: Paint;
  readonly spoken?: boolean;
}

/**
 * Width of a sparkline, in characters. A month has about twenty trading days, so each character shows about two days.
 */
const SPARKLINE_WIDTH = 10;
const BAR_WIDTH = 6;

type Line = PortfolioTotal & Partial<Pick<PortfolioRow, 'symbol' | 'qty' | 'price' | 'closes'>>;

/**
 * Formats the portfolio for all commands: the account, a row per position with gains, weight and the month's sparkline,
 * and the total. A narrow terminal has fewer columns, but always the value.
 */
export async function portfolioTable(view: PortfolioView, screen: PortfolioScreen): Promise<string> {
  const totals = accountLines(view, screen);
  if (view.rows.length === 0) return [...totals, '', 'No positions.'].join('\n');
  const lines: Line[] = [...view.rows, view.total];
  const table = await fitTable(portfolioColumns(view, screen), lines, screen.columns);
  return [...totals, '', ...emphasize(table, screen.paint ?? plainPaint)].join('\n');
}

function accountLines(view: PortfolioView, screen: PortfolioScreen): string[] {
  const { paint = plainPaint, unicode, spoken } = screen;
  const month = spoken ? '' : sparkline(view.equity_history, SPARKLINE_WIDTH, unicode);
  const { day_change: change, day_change_fraction: fraction } = view;
  const day =
    change === null || fraction === null
      ? formatTodayChange(null, null)
      : `${paintSignedAmount(paint, `${formatSignedDollars(change)} (${formatSignedPercent(fraction)})`)} today`;
  const facts: [string, string][] = [
    ['account', accountLabel(view)],
    ['value', `${paint('strong', formatDollarAmount(view.equity))}  ${day}${month === '' ? '' : `  ${month}`}`],
    ['cash', `${formatDollarAmount(view.cash)} (${weightText(view.cash_weight)})`],
    ['buying power', formatDollarAmount(view.buying_power)],
  ];
  const lines = facts.map(([label, value]) => `${label.padEnd(13)} ${value}`);
  if (view.trading_blocked) lines.push(`trading       ${paint('danger', 'BLOCKED by the broker')}`);
  return lines;
}

function portfolioColumns(view: PortfolioView, screen: PortfolioScreen): Column<Line>[] {
  const { paint = plainPaint, unicode, spoken = false } = screen;
  const month = ({ closes = [] }: Line) => sparkline(closes, SPARKLINE_WIDTH, unicode);
  const bar = ({ symbol, weight }: Line) =>
    symbol === undefined
      ? ''
      : weightBar(
          weight,
          view.rows.map((row) => row.weight),
          BAR_WIDTH,
          unicode,
        );
  const all: (Column<Line> | false)[] = [
    { head: 'SYMBOL', cell: ({ symbol }) => (symbol === undefined ? TOTAL : safeLine(symbol)) },
    numberColumn('QTY', ({ qty }) => (qty === undefined ? '' : formatShares(qty)), 3),
    numberColumn('PRICE', ({ price }) => (price === undefined ? '' : formatSharePrice(price)), 7),
    numberColumn('VALUE', ({ value }) => formatDollarAmount(value)),
    numberColumn('WEIGHT', ({ weight }) => weightText(weight), 4),
    !spoken && { rank: 6, head: '', cell: (line) => paint('accent', bar(line)) },
    numberColumn('TODAY', ({ day_change }) => paintSignedAmount(paint, formatSignedDollars(day_change)), 2),
    numberColumn(
      'TODAY %',
      ({ day_change_fraction }) => paintSignedAmount(paint, formatSignedPercent(day_change_fraction)),
      9,
    ),
    numberColumn('P/L', ({ unrealized }) => paintSignedAmount(paint, formatSignedDollars(unrealized)), 1),
    numberColumn(
      'P/L %',
      ({ unrealized_fraction }) => paintSignedAmount(paint, formatSignedPercent(unrealized_fraction)),
      8,
    ),
    !spoken && view.rows.some((row) => month(row) !== '') && { rank: 5, head: 'MONTH', cell: month },
  ];
  return all.filter((column) => column !== false);
}

const TOTAL = 'TOTAL';

function emphasize(table: string, paint: Paint): string[] {
  const lines = table.split('\n');
  return lines.map((line, index) => {
    if (index === 0) return paint('muted', line);
    return index === lines.length - 1 && line.startsWith(TOTAL) ? line.replace(TOTAL, paint('strong', TOTAL)) : line;
  });
}

function accountLabel(view: Pick<PortfolioView, 'account' | 'environment' | 'simulated'>): string {
  return `${safeLine(view.account)} ${environmentName(view.environment)}${view.simulated ? ' (simulated)' : ''}`;
}
