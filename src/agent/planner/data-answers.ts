import { z } from 'zod';
import { activitySchema, tradingDaySchema } from '../../trading/activity.ts';
import { dollars, sharePrice, shares, signedDollars, signedPercent } from '../../trading/amounts.ts';
import { articleSchema } from '../../trading/market-news.ts';
import { addDays } from '../../trading/new-york-time.ts';
import { periods, periodWords } from '../../trading/period.ts';

const calendar = z.lazy(() => z.object({ today: z.string(), days: z.array(tradingDaySchema) }));
const news = z.lazy(() => z.object({ news: z.array(articleSchema), simulated: z.boolean() }));
const activities = z.lazy(() =>
  z.object({
    period: z.enum(periods),
    activities: z.array(activitySchema),
    left_out: z.number().optional(),
    totals: z.object({ dividends: z.string() }),
    simulated: z.boolean(),
  }),
);
const rate = z.lazy(() => z.object({ fraction: z.string() }).nullable());
const performance = z.lazy(() =>
  z.object({
    period: z.enum(periods),
    equity: z.string(),
    added: z.string(),
    profit: z.string(),
    time_weighted: rate,
    money_weighted: rate,
    benchmark: z.object({ symbol: z.string(), return: rate }),
    simulated: z.boolean(),
  }),
);
const watchlist = z.lazy(() => z.object({ watchlist: z.object({ symbols: z.array(z.string()) }) }));

export function dataAnswer(
  tool: string,
  args: Record<string, unknown>,
  content: unknown,
): string | undefined {
  switch (tool) {
    case 'get_calendar':
      return tomorrow(calendar.parse(content));
    case 'get_news':
      return articles(news.parse(content));
    case 'get_activities':
      return happened(activities.parse(content), args);
    case 'get_performance':
      return did(performance.parse(content));
    case 'get_watchlist':
    case 'set_watchlist':
      return watched(watchlist.parse(content).watchlist.symbols);
    default:
      return undefined;
  }
}

function tomorrow({ today, days }: z.output<typeof calendar>): string {
  const date = addDays(today, 1);
  const day = days.find((each) => each.date === date);
  if (day !== undefined) {
    return `Yes: the market trades tomorrow, ${date}, from ${day.open} to ${day.close} in New York.`;
  }
  const next = days.find((each) => each.date > date);
  const then =
    next === undefined ? '' : ` It trades next on ${next.date}, from ${next.open} to ${next.close}.`;
  return `No: the market does not trade tomorrow, ${date}.${then}`;
}

function articles({ news: list, simulated }: z.output<typeof news>): string {
  if (list.length === 0) return 'There is no news.';
  const lines = list.map(
    ({ headline, source, at }) => `- ${plainWords(headline)} (${plainWords(source)}, ${at.slice(0, 10)})`,
  );
  return [...lines, ...(simulated ? ['', 'The news is simulated.'] : [])].join('\n');
}

/** Strips Markdown links, images and tables from outside text. */
function plainWords(text: string): string {
  return text.replace(/[[\]<>`*_|\\!#~]/g, '');
}

function happened(
  { period, activities: list, left_out, totals, simulated }: z.output<typeof activities>,
  { kinds }: Record<string, unknown>,
): string {
  const only = Array.isArray(kinds) && kinds.length === 1 ? String(kinds[0]) : undefined;
  const note = simulated ? ' The account is simulated.' : '';
  const named = only === 'fill' ? 'trades' : only === 'dividend' ? 'dividends' : 'activities';
  if (list.length === 0) return `No ${named} ${periodWords[period]}.${note}`;
  const sum = only === 'dividend' ? `${dollars(totals.dividends)} of dividends ${periodWords[period]}.` : '';
  const more = left_out === undefined ? '' : `\n\nand ${left_out} more.`;
  const lines = list.map(
    ({ at, kind, symbol, side, qty, price, amount, imported }) =>
      (kind === 'fill' && qty !== null && price !== null
        ? `- ${at.slice(0, 10)} ${side === 'buy' ? 'bought' : 'sold'} ${shares(qty)} ${symbol} at ${sharePrice(price)}`
        : `- ${at.slice(0, 10)} ${kind}${symbol === null ? '' : ` ${symbol}`}${amount === null ? '' : ` ${signedDollars(amount)}`}`) +
      (imported === true ? ' (imported)' : ''),
  );
  return `${sum === '' ? '' : `${sum}\n\n`}${lines.join('\n')}${more}${note === '' ? '' : `\n\n${note.trim()}`}`;
}

function did(figures: z.output<typeof performance>): string {
  const { period, profit, added, equity, time_weighted, money_weighted, benchmark, simulated } = figures;
  const rates = [
    ...(time_weighted === null ? [] : [`${signedPercent(time_weighted.fraction)} time-weighted`]),
    ...(money_weighted === null ? [] : [`${signedPercent(money_weighted.fraction)} money-weighted`]),
  ].join(', ');
  const flows = Number(added) === 0 ? '' : ` Deposits less withdrawals were ${signedDollars(added)}.`;
  const beside =
    benchmark.return === null
      ? ''
      : ` ${plainWords(benchmark.symbol)} made ${signedPercent(benchmark.return.fraction)} with dividends.`;
  return `${signedDollars(profit)} ${periodWords[period]}${rates === '' ? '' : ` (${rates})`}; equity ${dollars(equity)}.${beside}${flows}${simulated ? ' Prices are simulated.' : ''}`;
}

function watched(symbols: readonly string[]): string {
  return symbols.length === 0 ? 'Your watchlist is empty.' : `On your watchlist: ${symbols.join(', ')}.`;
}
