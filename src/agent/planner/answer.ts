import { z } from 'zod';
import { toSentence } from '../../text/first-letter.ts';
import { english, type Say } from '../../text/phrase.ts';
import {
  formatDollarAmount,
  formatSharePrice,
  formatShares,
  formatSignedDollars,
  formatSignedPercent,
} from '../../trading/amounts.ts';
import { parseOptionSymbol } from '../../trading/asset-class.ts';
import { describeOptionSymbol } from '../../trading/contract-words.ts';
import { formatDate, formatTimeWithZone } from '../../trading/date-words.ts';
import { Dec, decimalString } from '../../trading/decimal.ts';
import { environmentName } from '../../trading/environment.ts';
import { describeMessage, sentMessageSchema } from '../../trading/message.ts';
import {
  buildPortfolioView,
  type PortfolioView as PortfolioFigures,
  type PortfolioRow,
  type PortfolioTotal,
} from '../../trading/portfolio/portfolio-view.ts';
import { sparkline } from '../../trading/sparkline.ts';
import {
  type Account,
  accountSchema,
  type Bar,
  barSchema,
  clockSchema,
  type MarketClock,
  type Position,
  positionSchema,
  quoteSchema,
} from '../../trading/views.ts';
import type { PortfolioRanking, PortfolioView } from '../reader/intent.ts';
import { formatAccountAnswer } from './account-answers.ts';
import { formatAlertAnswer } from './alert-answers.ts';
import type { AnsweredCall } from './answered-calls.ts';
import { formatFigure } from './computed-answers.ts';
import { formatDataAnswer, formatFigureAnswer } from './data-answers.ts';
import type { ResultView } from './lookup-step.ts';
import { formatOrderAnswer } from './order-answers.ts';
import { markdownTable } from './table.ts';

const failure = z.lazy(() => z.object({ error: z.object({ message: z.string(), hint: z.string().optional() }) }));
const draft = z.lazy(() => z.object({ dry_run: z.literal(true), would: z.object({ text: z.string() }) }));
const person = z.lazy(() =>
  z.object({
    name: z.string().nullable(),
    email: z.string().nullable(),
    subject: z.string(),
    environment: z.string(),
  }),
);
const portfolio = z.lazy(() =>
  z.object({
    account: accountSchema,
    positions: z.array(positionSchema),
    traded_today: z.array(z.object({ symbol: z.string(), qty: decimalString, paid: decimalString })).default([]),
  }),
);
const quotes = z.lazy(() => z.object({ quotes: z.array(quoteSchema) }));
const bars = z.lazy(() => z.object({ symbol: z.string(), bars: z.array(barSchema) }));
const sentOne = z.lazy(() => z.object({ sent: sentMessageSchema }));

/** Returns the answer to the calls' results. @param say translates sentences, but no errors or names from tools */
export function composeAnswer(
  results: readonly (AnsweredCall & { readonly view?: ResultView | undefined })[],
  say: Say = english,
): string {
  const answers: string[] = [];
  let parts: unknown[] = [];
  for (const result of results) {
    const { content, view = {} } = result;
    const isFailed = failure.safeParse(content).success;
    const isPart = view.isPart === true || view.computed !== undefined;
    // A part that failed is reported instead of the figure.
    if (isFailed || !isPart) answers.push(toolAnswer(result, say));
    parts.push(isFailed ? undefined : content);
    if (view.computed !== undefined && !parts.includes(undefined))
      answers.push(formatFigure(view.computed, parts, say));
    if (view.isPart === undefined) parts = [];
  }
  return answers.join('\n\n');
}

function toolAnswer(
  { tool, args, content, view = {} }: AnsweredCall & { readonly view?: ResultView | undefined },
  say: Say,
): string {
  const failed = failure.safeParse(content);
  if (failed.success) return joinHint(failed.data.error.message, failed.data.error.hint);
  const drafted = draft.safeParse(content);
  if (drafted.success) return say`Dry run, so nothing was done. I would do this: ${drafted.data.would.text}`;
  switch (tool) {
    case 'whoami':
      return whoamiAnswer(person.parse(content), say);
    case 'get_portfolio':
      return portfolioViewAnswer(portfolio.parse(content), view, say);
    case 'get_quote':
      return quoteTable(quotes.parse(content).quotes, view.qty, say);
    case 'get_bars':
      return chartAnswer(bars.parse(content), say);
    case 'get_market_clock':
      return marketHoursAnswer(clockSchema.parse(content), say);
    case 'send_slack_summary':
    case 'send_gmail_summary':
      return say`Sent: ${describeMessage(sentOne.parse(content).sent)}.`;
    default:
      return (
        formatOrderAnswer(tool, args, content, view, say) ??
        formatAlertAnswer(tool, args, content, say) ??
        formatFigureAnswer(tool, content, view, say) ??
        formatDataAnswer(tool, args, content, view, say) ??
        formatAccountAnswer(tool, content, say) ??
        ''
      );
  }
}

export function joinHint(message: string, hint: string | undefined): string {
  const ended = toSentence(message);
  return hint === undefined ? ended : `${ended} ${hint}`;
}

function whoamiAnswer(user: z.output<typeof person>, say: Say): string {
  const name = user.name ?? user.subject;
  const email = user.email === null ? '' : ` (${user.email})`;
  return say`You are signed in as **${name}**${email}, on a ${environmentName(user.environment)} account.`;
}

function toView({ account, positions, traded_today }: z.output<typeof portfolio>): PortfolioFigures {
  const traded = new Map(
    traded_today.map(({ symbol, qty, paid }) => [symbol, { qty: new Dec(qty), paid: new Dec(paid) }]),
  );
  return buildPortfolioView(account, positions, { traded });
}

function portfolioAnswer(view: PortfolioFigures, say: Say): string {
  const day =
    view.day_change === null || view.day_change_fraction === null
      ? say`today’s change unknown`
      : say`${formatSignedDollars(view.day_change)}, ${formatSignedPercent(view.day_change_fraction)} today`;
  const lines = [
    say`Equity **${formatDollarAmount(view.equity)}** (${day}), cash ${formatDollarAmount(view.cash)}, buying power ${formatDollarAmount(view.buying_power)}. ${accountLabel(view.environment, view.simulated, say)}`,
  ];
  if (view.rows.length === 0) return [...lines, say`No positions.`].join('\n\n');
  const { total } = view;
  return [
    ...lines,
    markdownTable(
      [say`Symbol`, say`Qty`, say`Price`, say`Value`, say`Weight`, say`Today`, say`P/L`, say`P/L %`],
      [
        ...view.rows.map((row) => [
          describeOptionSymbol(row.symbol),
          formatShares(row.qty),
          formatSharePrice(row.price),
          ...figures(row),
        ]),
        [say`Total`, '', '', ...figures(total)],
      ],
    ),
  ].join('\n\n');
}

function figures(row: PortfolioTotal): string[] {
  return [
    formatDollarAmount(row.value),
    `${new Dec(row.weight).mul(100).toFixed(1)}%`,
    formatSignedDollars(row.day_change),
    formatSignedDollars(row.unrealized),
    formatSignedPercent(row.unrealized_fraction),
  ];
}

function quoteTable(list: z.output<typeof quotes>['quotes'], qty: string | undefined, say: Say): string {
  const dayOf = ({ last, previous_close }: (typeof list)[number]) =>
    new Dec(previous_close).gt(0)
      ? formatSignedPercent(new Dec(last).div(previous_close).minus(1).toDecimalPlaces(8).toFixed())
      : '';
  const said = list.map((quote) => {
    const day = dayOf(quote);
    if (qty !== undefined) {
      const cost = new Dec(quote.ask).mul(qty).toFixed(2);
      return say`${formatShares(qty)} ${quote.symbol} cost about **${formatDollarAmount(cost)}**, at ${formatSharePrice(quote.ask)} each.`;
    }
    const last = formatSharePrice(quote.last);
    return day === '' ? say`${quote.symbol} is at **${last}**.` : say`${quote.symbol} is at **${last}**, ${day} today.`;
  });
  const rows = list.map((quote) => [
    quote.symbol,
    formatSharePrice(quote.last),
    formatSharePrice(quote.bid),
    formatSharePrice(quote.ask),
    dayOf(quote),
  ]);
  const note = list.some((quote) => quote.simulated) ? `\n\n${say`Prices are simulated.`}` : '';
  return `${said.join(' ')}\n\n${markdownTable([say`Symbol`, say`Last`, say`Bid`, say`Ask`, say`Day`], rows)}${note}`;
}

function accountLabel(environment: string, simulated: boolean, say: Say): string {
  const name = environmentName(environment);
  return simulated ? say`${name} account, simulated prices.` : say`${name} account.`;
}

function portfolioViewAnswer(data: z.output<typeof portfolio>, view: ResultView, say: Say): string {
  const { account, positions } = data;
  const figures = toView(data);
  if (view.view === undefined && view.ranking === undefined && view.symbol === undefined)
    return portfolioAnswer(figures, say);
  const note = account.simulated ? ` ${say`Prices are simulated.`}` : '';
  const answer =
    view.symbol !== undefined
      ? positionAnswer(figures, positions, view.symbol, say)
      : view.ranking !== undefined
        ? rankingAnswer(figures, positions, view.ranking, say)
        : portfolioFigureAnswer(account, figures, view.view ?? 'total', say);
  return `${answer}${note}`;
}

function positionAnswer({ rows }: PortfolioFigures, positions: readonly Position[], wanted: string, say: Say): string {
  const held = positions.find(({ symbol }) => symbol === wanted);
  const row = rows.find(({ symbol }) => symbol === wanted);
  if (held === undefined || row === undefined) return say`You hold no ${wanted}.`;
  return [
    say`You hold ${describePosition(held, say)}, ${percent(row.weight)} of your equity.`,
    say`Average cost: ${formatSharePrice(held.avg_entry_price)}, ${formatDollarAmount(held.cost_basis)} in total. Price: ${formatSharePrice(row.price)}, ${formatSignedDollars(row.day_change)} today.`,
  ].join(' ');
}

function describePosition(
  { symbol, side, qty, market_value, unrealized_pl, unrealized_plpc }: Position,
  say: Say,
): string {
  const name = describeOptionSymbol(symbol);
  const held = side === 'short' ? say`${name} short` : name;
  return say`${formatShares(qty)} ${held}, worth ${formatDollarAmount(market_value)} (${formatSignedDollars(unrealized_pl)}, ${formatSignedPercent(unrealized_plpc)})`;
}

const rankedBy: Readonly<Record<PortfolioRanking['by'], (row: PortfolioRow) => Dec>> = {
  value: ({ value }) => new Dec(value).abs(),
  percent: ({ unrealized_fraction }) => new Dec(unrealized_fraction),
  dollars: ({ unrealized }) => new Dec(unrealized),
  day: ({ day_change }) => new Dec(day_change),
};

function rankingAnswer(
  { rows }: PortfolioFigures,
  positions: readonly Position[],
  { by, from, count }: PortfolioRanking,
  say: Say,
): string {
  if (rows.length === 0) return say`You have no positions.`;
  const rank = rankedBy[by];
  const sorted = rows.toSorted((one, two) => rank(two).comparedTo(rank(one)));
  const describe = (row: PortfolioRow) => {
    const held = positions.find(({ symbol }) => symbol === row.symbol);
    const what = say`${held === undefined ? row.symbol : describePosition(held, say)}, ${percent(row.weight)} of your equity`;
    return by === 'day' ? say`${what}, ${formatSignedDollars(row.day_change)} today` : what;
  };
  const top = sorted.slice(0, count);
  const bottom = sorted.toReversed().slice(0, count);
  const [last] = bottom;
  const isGain = last !== undefined && bottom.length === 1 && rank(last).gte(0);
  const gain = isGain ? ` ${say`None of your positions is at a loss.`}` : '';
  return [
    ...(from === 'bottom' ? [] : [rankedList(by === 'value' ? 'biggest' : 'best', top.map(describe), say)]),
    ...(from === 'top' ? [] : [`${rankedList('worst', bottom.map(describe), say)}${gain}`]),
  ].join('\n');
}

/** Formats one position as a sentence, and several as a list. */
function rankedList(which: 'biggest' | 'best' | 'worst', found: readonly string[], say: Say): string {
  const [first = ''] = found;
  const [one, several] = {
    biggest: [say`Your biggest position is ${first}.`, say`Your biggest positions:`],
    best: [say`Your best position is ${first}.`, say`Your best positions:`],
    worst: [say`Your worst position is ${first}.`, say`Your worst positions:`],
  }[which] as [string, string];
  return found.length === 1 ? one : [several, ...found.map((text) => `- ${text}`), ''].join('\n');
}

function portfolioFigureAnswer(account: Account, figures: PortfolioFigures, view: PortfolioView, say: Say): string {
  switch (view) {
    case 'day':
      if (figures.day_change === null || figures.day_change_fraction === null) {
        return say`Today's change is unknown: your broker does not report the account's value at the last close. Equity ${formatDollarAmount(account.equity)}.`;
      }
      return say`Today ${formatSignedDollars(figures.day_change)} (${formatSignedPercent(figures.day_change_fraction)}), including deposits and withdrawals. Equity: ${formatDollarAmount(account.equity)}.`;
    case 'number':
      return say`Your account number: **${account.account}**.`;
    case 'total':
      return say`Open positions: ${formatSignedDollars(figures.total.unrealized)} (${formatSignedPercent(figures.total.unrealized_fraction)} of their cost).`;
    case 'options': {
      const held = figures.rows.filter(({ symbol }) => parseOptionSymbol(symbol) !== undefined);
      if (held.length === 0) return say`You hold no options.`;
      return [
        say`Your options, with the day they expire:`,
        ...held.map(
          (row) => `- ${formatShares(row.qty)} ${describeOptionSymbol(row.symbol)}, ${formatDollarAmount(row.value)}`,
        ),
        '',
      ].join('\n');
    }
    default: {
      const cash = say`You have **${formatDollarAmount(account.cash)}** in cash, and your buying power is ${formatDollarAmount(account.buying_power)}. Equity: ${formatDollarAmount(account.equity)}.`;
      return view === 'cash'
        ? cash
        : `${cash} ${say`Your broker doesn’t tell me how much of the cash has settled and can be withdrawn; what you sell settles one business day after the trade.`}`;
    }
  }
}

function percent(fraction: string): string {
  return `${new Dec(fraction).times(100).toFixed(1)}%`;
}

const CHART_WIDTH = 60;

function chartAnswer({ symbol, bars }: { readonly symbol: string; readonly bars: readonly Bar[] }, say: Say): string {
  const [first] = bars;
  const last = bars.at(-1);
  if (first === undefined || last === undefined || bars.length < 2)
    return say`There are too few prices for a chart of ${symbol}.`;
  const change = new Dec(last.close).minus(first.close);
  const fraction = change.div(first.close).toDecimalPlaces(8).toFixed();
  const closes = bars.map(({ close }) => close);
  const [low, high] = [Dec.min(...closes), Dec.max(...closes)].map((price) => formatSharePrice(price.toFixed()));
  return [
    say`${symbol} from ${formatDate(first.at.slice(0, 10), say.locale)} to ${formatDate(last.at.slice(0, 10), say.locale)}: ${formatSharePrice(first.close)} to ${formatSharePrice(last.close)}, ${formatSignedDollars(change.toFixed(2))} (${formatSignedPercent(fraction)}); low ${low}, high ${high}.`,
    `\`${sparkline(closes, CHART_WIDTH, true)}\``,
  ].join('\n\n');
}

function marketHoursAnswer({ is_open, next_open, next_close }: MarketClock, say: Say): string {
  return is_open
    ? say`The market is open. It closes at ${formatTimeWithZone(next_close, say)}.`
    : say`The market is closed. It opens at ${formatTimeWithZone(next_open, say)}.`;
}
