import {
  formatDollarAmount,
  formatSharePrice,
  formatShares,
  formatSignedDollars,
  formatSignedPercent,
} from '../../trading/amounts.ts';
import { formatDate, formatNewYorkTime } from '../../trading/date-words.ts';
import { Dec } from '../../trading/decimal.ts';
import { environmentName } from '../../trading/environment.ts';
import { newYorkDate } from '../../trading/new-york-time.ts';
import { describeOrder, type OrderRequest } from '../../trading/order.ts';
import { describeSkippedReason } from '../../trading/portfolio/rebalance.ts';
import type { FigureName } from '../incomplete.ts';
import type { CheckResult } from '../result-schema.ts';

/** Formats the New York date of a time: `Nov 24, 2026`. */
export function formatReportDate(at: string): string {
  return formatDate(newYorkDate(Date.parse(at)));
}

export function accountLine({ account }: Pick<CheckResult, 'account'>): string {
  const at = account.label === undefined ? '' : ` at ${account.label}`;
  return `${account.account}${at} ${environmentName(account.environment)}${account.simulated ? ' (simulated)' : ''}`;
}

export function marketLine({ market }: CheckResult): string {
  return market.is_open
    ? `open until ${formatNewYorkTime(market.next_close)}`
    : `closed until ${formatNewYorkTime(market.next_open)}`;
}

export function summaryLine({ findings, ongoing }: CheckResult): string {
  const also = ongoing.length === 0 ? '' : `, ${ongoing.length} ongoing`;
  if (findings.length === 0) return `nothing new${also}`;
  return `${findings.length} ${findings.length === 1 ? 'finding' : 'findings'}${also}`;
}

function dayProfitText({ day_profit, day_return }: CheckResult['figures']): string {
  if (day_profit === null || day_return === null) return 'unknown';
  return `${formatSignedDollars(day_profit)} (${formatSignedPercent(day_return)})`;
}

export function figureLines({ figures }: CheckResult): [label: string, value: string][] {
  const lines: [string, string | undefined, of?: FigureName][] = [
    ['value', formatDollarAmount(figures.equity)],
    ['cash', `${formatDollarAmount(figures.cash)} (${plainPercent(figures.cash_weight)})`],
    ['today', dayProfitText(figures), 'day_profit'],
    ['unrealized', `${formatSignedDollars(figures.unrealized)} (${formatSignedPercent(figures.unrealized_return)})`],
    ['realized', realizedText(figures), 'realized'],
    ['income', incomeText(figures), 'income'],
    ['time-weighted return', returnText(figures.time_weighted_return), 'time_weighted_return'],
    [
      `return of ${figures.benchmark?.symbol ?? 'the benchmark'}`,
      figures.benchmark === null ? undefined : benchmarkText(figures.benchmark),
      'time_weighted_return',
    ],
    ['money-weighted return', returnText(figures.money_weighted_return), 'money_weighted_return'],
    [
      'volatility',
      figures.volatility === null ? undefined : `${plainPercent(figures.volatility)} a year`,
      'volatility',
    ],
    ['drawdown', drawdownText(figures), 'drawdown'],
    ['worst drawdown', worstText(figures), 'drawdown'],
  ];
  const incomplete = new Set(figures.incomplete.flatMap((one) => one.figures));
  return [
    ...lines.flatMap(([label, value, of]): [string, string][] =>
      value === undefined ? [] : [[label, of !== undefined && incomplete.has(of) ? `${value} (incomplete)` : value]],
    ),
    ...figures.incomplete.map(({ reason }): [string, string] => ['incomplete', `because ${reason}`]),
  ];
}

function plainPercent(fraction: string): string {
  return `${new Dec(fraction).mul(100).toFixed(2)}%`;
}

function realizedText({ realized_fifo, realized_average_cost, realized_incomplete }: CheckResult['figures']) {
  if (realized_fifo === null || realized_average_cost === null) return undefined;
  const missing =
    realized_incomplete.length === 0
      ? ''
      : `; incomplete for ${realized_incomplete.join(', ')}, whose trades do not match the positions`;
  return realized_fifo === realized_average_cost
    ? `${formatSignedDollars(realized_fifo)}${missing}`
    : `${formatSignedDollars(realized_fifo)} first in, first out; ${formatSignedDollars(realized_average_cost)} at average cost${missing}`;
}

function incomeText({ dividends, interest, fees }: CheckResult['figures']): string | undefined {
  if (dividends === null || interest === null || fees === null) return undefined;
  return `dividends ${formatDollarAmount(dividends)}, interest ${formatDollarAmount(interest)}, fees ${formatDollarAmount(fees)}`;
}

function returnText(value: CheckResult['figures']['time_weighted_return']): string | undefined {
  if (value === null) return undefined;
  const days = Math.round(value.days);
  const annual = value.annual === null ? '' : `, ${formatSignedPercent(value.annual)} a year`;
  const began = value.began === undefined ? '' : `, since ${formatReportDate(value.began)}, after a total loss`;
  const ended = value.ended === undefined ? '' : `, until the total loss on ${formatReportDate(value.ended)}`;
  return `${formatSignedPercent(value.period)} in ${days} ${days === 1 ? 'day' : 'days'}${annual}${began}${ended}`;
}

function benchmarkText({ return: other, excess }: NonNullable<CheckResult['figures']['benchmark']>): string {
  const behind = excess.startsWith('-');
  return `${returnText(other)} with dividends; the account is ${plainPercent(behind ? excess.slice(1) : excess)} ${behind ? 'behind' : 'ahead'}`;
}

function drawdownText({ drawdown, high_water_mark: mark }: CheckResult['figures']): string | undefined {
  if (mark === null) return undefined;
  return `${plainPercent(drawdown)} below the peak of ${formatDollarAmount(mark.value)} on ${formatReportDate(mark.at)}`;
}

function worstText({ worst_drawdown: worst }: CheckResult['figures']): string | undefined {
  if (worst === null) return undefined;
  const end =
    worst.recovered_at === null ? 'not recovered yet' : `recovered on ${formatReportDate(worst.recovered_at)}`;
  return `${plainPercent(worst.fraction)} from ${formatReportDate(worst.peak_at)} to ${formatReportDate(worst.trough_at)}, ${end}`;
}

type SuggestedOrder = NonNullable<CheckResult['suggestion']>['orders'][number];

function orderLine(order: SuggestedOrder): string {
  const { side, qty, notional, symbol, type, limit_price, amount, reason } = order;
  const size = qty === null ? formatDollarAmount(notional ?? '0') : formatShares(qty);
  const terms = limit_price === null ? type.replaceAll('_', ' ') : `limit ${formatSharePrice(limit_price)}`;
  const moved = amount === null ? '' : `about ${formatDollarAmount(amount)}, `;
  return `${side} ${size} ${symbol} ${terms} (${moved}${reason})`;
}

/** The fields of a run's result that are used here; docs/reference/schema/run.json has all of them. */
interface ProposedRun {
  readonly text?: string;
  readonly approvals?: readonly {
    readonly status: string;
    readonly code: string;
    readonly expires_at: string;
    readonly order: OrderRequest;
  }[];
}

/**
 * Returns each run's text about the outcomes of its orders. A run that has no text yet gets one line for each pending
 * approval.
 */
export function outcomeLines({ proposals }: CheckResult): string[] {
  return (proposals as ProposedRun[]).flatMap(({ text = '', approvals = [] }) => {
    const answers = text.split('\n').filter((line) => line.trim() !== '');
    if (answers.length > 0) return answers;
    return approvals
      .filter(({ status }) => status === 'requested')
      .map(
        ({ code, expires_at, order }) =>
          `${describeOrder(order)} is waiting for your approval until ${formatNewYorkTime(expires_at)}, code ${code}`,
      );
  });
}

export function suggestedLines({ suggestion }: CheckResult): string[] {
  const { orders, left } = suggestion ?? { orders: [], left: [] };
  return [
    ...orders.map(orderLine),
    ...left.map(({ symbol, reason }) => `${symbol} was left out: ${describeSkippedReason(reason)}`),
  ];
}

const skipTexts: Readonly<Record<string, string>> = {
  disabled: 'is turned off',
  market_closed: 'waits for the market to open',
  market_open: 'waits for the market to close',
  not_before_close: 'waits for the end of the session',
  over: 'has ended',
};

export function skippedLine({ rule, reason }: { readonly rule: string; readonly reason: string }): string {
  return `${rule} ${skipTexts[reason] ?? reason}`;
}
