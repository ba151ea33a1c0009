import type { AccountPortfolio, CombinedPortfolio } from '../../app/portfolio/portfolio.ts';
import { safeLine } from '../../text/sanitize.ts';
import type { AccountEntry } from '../../trading/account-entry.ts';
import { formatDollarAmount, formatSignedDollars } from '../../trading/amounts.ts';
import { Dec } from '../../trading/decimal.ts';
import { environmentName } from '../../trading/environment.ts';
import { buildPortfolioView } from '../../trading/portfolio/portfolio-view.ts';
import type { AccountsTotal } from '../../trading/portfolio/totals-across.ts';
import { type PortfolioScreen, portfolioTable } from './portfolio-table.ts';
import { type Column, fitTable, formatTable, numberColumn } from './table.ts';
import { paintSignedAmount, plainPaint } from './theme.ts';

type Line = Omit<AccountsTotal, 'currency'> &
  Pick<AccountsTotal, 'currency'> & { readonly name: string; readonly at?: string; readonly where?: string };

/** Formats a summary with totals, then each account's positions. The totals say if an account could not be read. */
export async function portfoliosTable(
  { accounts, missing, totals }: CombinedPortfolio,
  screen: PortfolioScreen,
): Promise<string> {
  const without = missing.length === 0 ? '' : ` WITHOUT ${missing.map(({ label }) => safeLine(label)).join(', ')}`;
  const lines: Line[] = [...accounts.map(toLine), ...totals.map((total) => ({ ...total, name: `TOTAL${without}` }))];
  const summary = accounts.length === 0 ? [] : [await fitTable(summaryColumns(lines, screen), lines, screen.columns)];
  const gone = missing.map(
    ({ label, account, message }) => `${safeLine(account ?? label)}: could not be read: ${safeLine(message)}`,
  );
  const each = await Promise.all(
    accounts.map(async ({ account, positions, label }) =>
      [`== ${safeLine(label)}`, await portfolioTable(buildPortfolioView(account, positions), screen)].join('\n'),
    ),
  );
  return [...summary, ...(gone.length === 0 ? [] : [gone.join('\n')]), ...each].join('\n\n');
}

function toLine({ account, label, default: isDefault }: AccountPortfolio): Line {
  const { currency, equity, cash, last_equity, environment, simulated } = account;
  return {
    name: `${safeLine(account.account)}${isDefault ? ' *' : ''}`,
    at: safeLine(label),
    where: `${environmentName(environment)}${simulated ? ' (simulated)' : ''}`,
    currency,
    equity,
    cash,
    day_change: last_equity === null ? null : new Dec(equity).minus(last_equity).toFixed(2),
  };
}

function summaryColumns(lines: readonly Line[], { paint = plainPaint }: PortfolioScreen): Column<Line>[] {
  const several = new Set(lines.map(({ currency }) => currency)).size > 1;
  const all: (Column<Line> | false)[] = [
    { head: 'ACCOUNT', cell: ({ name }) => name },
    { rank: 1, head: 'BROKER', cell: ({ at = '' }) => at },
    { head: '', cell: ({ where = '' }) => where },
    several && { head: '', cell: ({ currency }) => safeLine(currency) },
    numberColumn('VALUE', ({ equity }) => formatDollarAmount(equity)),
    numberColumn(
      'TODAY',
      ({ day_change }) => (day_change === null ? 'unknown' : paintSignedAmount(paint, formatSignedDollars(day_change))),
      2,
    ),
    numberColumn('CASH', ({ cash }) => formatDollarAmount(cash), 3),
  ];
  return all.filter((column) => column !== false);
}

export async function accountsTable(accounts: readonly AccountEntry[]): Promise<string> {
  if (accounts.length === 0) return 'No account is connected. Run "trade-agent connections add broker".';
  return await formatTable<AccountEntry>(
    [
      { head: '', cell: (entry) => (entry.default ? '*' : '') },
      {
        head: 'ACCOUNT',
        cell: ({ account, problem }) => safeLine(account ?? `? (${problem ?? 'unknown'})`),
      },
      { head: 'NAME', cell: ({ broker }) => safeLine(broker) },
      { head: 'BROKER', cell: ({ label }) => safeLine(label) },
      { head: '', cell: ({ environment }) => environmentName(environment) },
    ],
    accounts,
  );
}
