import type { PerformanceReport } from '../../tools/performance.ts';
import { formatDollarAmount, formatSignedDollars, formatSignedPercent } from '../../trading/amounts.ts';
import { periodWords } from '../../trading/period.ts';
import { formatTable, numberColumn } from './table.ts';

type Rates = PerformanceReport['time_weighted'];

export async function performanceText(found: PerformanceReport): Promise<string> {
  const { ratios, benchmark } = found;
  const rows: [string, string][] = [
    [
      'Profit',
      `${formatSignedDollars(found.profit)} ${periodWords[found.period]}, now ${formatDollarAmount(found.equity)}`,
    ],
    ['Added', formatSignedDollars(found.added)],
    ['Time-weighted', ratesText(found.time_weighted)],
    ['Money-weighted', ratesText(found.money_weighted)],
    [
      benchmark.symbol,
      benchmark.return === null
        ? 'not available for this period'
        : `${ratesText(benchmark.return)} with dividends${benchmark.excess === null ? '' : `; the account is ${aheadText(benchmark.excess)}`}`,
    ],
    [
      'Volatility',
      found.volatility === null ? 'not available' : formatSignedPercent(found.volatility).replace('+', ''),
    ],
    ...(['sharpe', 'sortino', 'beta'] as const).map((name): [string, string] => [
      `${name.charAt(0).toUpperCase()}${name.slice(1)}`,
      ratios[name] ?? 'not available: too few daily returns',
    ]),
    ...found.rolling.map(({ months, latest, best, worst, gains, count }): [string, string] => [
      `Rolling ${months === 12 ? '1Y' : `${months}M`}`,
      `latest ${formatSignedPercent(latest.fraction)}, best ${formatSignedPercent(best.fraction)} (${best.ends}), worst ${formatSignedPercent(worst.fraction)} (${worst.ends}), ${gains} of ${count} periods were up`,
    ]),
  ];
  const parts = [
    await formatTable(
      [
        { head: 'WHAT', cell: ([name]: [string, string]) => name },
        { head: 'VALUE', cell: ([, value]) => value },
      ],
      rows,
    ),
  ];
  if (found.contributions !== undefined) parts.push(await contributionsText(found.contributions));
  if (found.dividends_by_month.length > 0) {
    parts.push(
      await formatTable<PerformanceReport['dividends_by_month'][number]>(
        [
          { head: 'MONTH', cell: ({ month }) => month },
          numberColumn('DIVIDENDS', ({ amount }) => formatSignedDollars(amount)),
        ],
        found.dividends_by_month,
      ),
    );
  }
  if (found.simulated) parts.push('The account is simulated.');
  return parts.join('\n\n');
}

async function contributionsText(found: NonNullable<PerformanceReport['contributions']>): Promise<string> {
  const rows = [
    ...found.positions,
    { symbol: 'rest (interest, fees, unpriced)', ...found.rest },
    {
      symbol: 'total',
      profit: undefined,
      contribution: found.total,
    },
  ];
  const text = await formatTable<(typeof rows)[number]>(
    [
      { head: 'CONTRIBUTION', cell: ({ symbol }) => symbol },
      numberColumn('PROFIT', ({ profit }) => (profit === undefined ? '' : formatSignedDollars(profit))),
      numberColumn('CONTRIBUTION', ({ contribution }) => formatSignedPercent(contribution)),
    ],
    rows,
  );
  const missing = found.not_priced;
  return missing.length === 0 ? text : `${text}\nNo prices for ${missing.join(', ')}: included in the rest.`;
}

function aheadText(excess: string): string {
  const behind = excess.startsWith('-');
  return `${formatSignedPercent(behind ? excess.slice(1) : excess).replace('+', '')} ${behind ? 'behind' : 'ahead'}`;
}

function ratesText(rates: Rates): string {
  if (rates === null) return 'not available';
  const { fraction, annual } = rates;
  return annual === null
    ? formatSignedPercent(fraction)
    : `${formatSignedPercent(fraction)} (${formatSignedPercent(annual)} a year)`;
}
