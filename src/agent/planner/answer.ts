import { z } from 'zod';
import { toSentence } from '../../text/first-letter.ts';
import { createIdShortener } from '../../text/short-id.ts';
import { DEFAULT_DAYS } from '../../tools/standing-limits.ts';
import {
  formatDollarAmount,
  formatSharePrice,
  formatShares,
  formatSignedDollars,
  formatSignedPercent,
  formatTodayChange,
} from '../../trading/amounts.ts';
import { parseOptionSymbol } from '../../trading/asset-class.ts';
import { describeOptionSymbol } from '../../trading/contract-words.ts';
import { formatDate, formatNewYorkDateTime, formatTimeWithZone } from '../../trading/date-words.ts';
import { Dec, decimalString } from '../../trading/decimal.ts';
import { environmentName } from '../../trading/environment.ts';
import { describeBatchOutcome } from '../../trading/kinds/batch.ts';
import { type BatchLine, batchLineSchema } from '../../trading/kinds/kind-words.ts';
import { mandateResultSchema } from '../../trading/mandate/granted.ts';
import { formatLastDayWithWeekday } from '../../trading/mandate/mandate-end.ts';
import { describeMessage, sentMessageSchema } from '../../trading/message.ts';
import { describeOpenOrder } from '../../trading/open-order.ts';
import { describeOrderOutcome } from '../../trading/order-outcome.ts';
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
  type Order,
  orderSchema,
  type Position,
  positionSchema,
  quoteSchema,
} from '../../trading/views.ts';
import type { PortfolioRanking, PortfolioView } from '../reader/intent.ts';
import { formatAccountAnswer } from './account-answers.ts';
import type { AnsweredCall } from './answered-calls.ts';
import { formatDataAnswer, formatFigureAnswer } from './data-answers.ts';
import type { ResultView } from './steps.ts';

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
const orderList = z.lazy(() =>
  z.object({
    state: z.string(),
    total: z.number(),
    total_is_minimum: z.boolean().optional(),
    orders: z.array(orderSchema),
  }),
);
/** `approval` is `approved`, or `approved by mandate M-…`. */
const oneOrder = z.lazy(() => z.object({ order: orderSchema, approval: z.string().optional() }));
const batch = z.lazy(() => z.object({ lines: z.array(batchLineSchema) }));
const grantedOne = z.lazy(() =>
  z.object({
    granted: mandateResultSchema.unwrap().extend({ for: z.string(), worst: z.string(), expires_at: z.string() }),
  }),
);
const sentOne = z.lazy(() => z.object({ sent: sentMessageSchema }));

export function composeAnswer(results: readonly (AnsweredCall & { readonly view?: ResultView | undefined })[]): string {
  return results.map(toolAnswer).join('\n\n');
}

function toolAnswer({
  tool,
  args,
  content,
  view = {},
}: AnsweredCall & { readonly view?: ResultView | undefined }): string {
  const failed = failure.safeParse(content);
  if (failed.success) return joinHint(failed.data.error.message, failed.data.error.hint);
  const drafted = draft.safeParse(content);
  if (drafted.success) return `Dry run, so nothing was done. I would do this: ${drafted.data.would.text}`;
  switch (tool) {
    case 'whoami':
      return whoamiAnswer(person.parse(content));
    case 'get_portfolio':
      return portfolioViewAnswer(portfolio.parse(content), view);
    case 'get_quote':
      return quoteTable(quotes.parse(content).quotes, view.qty);
    case 'get_bars':
      return chartAnswer(bars.parse(content));
    case 'get_market_clock':
      return marketHoursAnswer(clockSchema.parse(content));
    case 'list_orders':
      return orderTable(orderList.parse(content), args.symbol);
    case 'place_order':
    case 'close_position':
    case 'replace_order':
    case 'cancel_order':
      return placedAnswer(oneOrder.parse(content));
    case 'place_standing_order':
      return standingOrderAnswer(grantedOne.parse(content).granted, args);
    case 'place_orders':
      return batchList(batch.parse(content).lines);
    case 'set_alert':
    case 'list_alerts':
    case 'remove_alert':
    case 'add_schedule':
      return alertAnswer(tool, content);
    case 'send_slack_summary':
    case 'send_gmail_summary':
      return `Sent: ${describeMessage(sentOne.parse(content).sent)}.`;
    default:
      return (
        formatFigureAnswer(tool, content, view) ??
        formatDataAnswer(tool, args, content, view) ??
        formatAccountAnswer(tool, content) ??
        ''
      );
  }
}

export function joinHint(message: string, hint: string | undefined): string {
  const ended = toSentence(message);
  return hint === undefined ? ended : `${ended} ${hint}`;
}

function placedAnswer({ order, approval }: z.output<typeof oneOrder>): string {
  const by = approval?.startsWith('approved by ') ? ` (${approval})` : '';
  return `${describeOrderOutcome(order)}${by}.`;
}

function standingOrderAnswer(
  { mandate, for: what, worst, expires_at, next_at }: z.output<typeof grantedOne>['granted'],
  { until, before }: Readonly<Record<string, unknown>>,
): string {
  const isEndSaid = until !== undefined || before !== undefined;
  return [
    `${what}: the gateway will place it automatically. ${worst}.`,
    ...(isEndSaid
      ? []
      : [`You gave no end date, so it lasts ${DEFAULT_DAYS} days, until ${formatLastDayWithWeekday(expires_at)}.`]),
    next_at === undefined ? 'It is watching the price now.' : `Next: ${formatNewYorkDateTime(next_at)}.`,
    `To end it, run \`trade-agent mandates revoke ${mandate}\`.`,
  ].join(' ');
}

function batchList(lines: readonly BatchLine[]): string {
  return [`${describeBatchOutcome(lines)}:`, ...lines.map((line) => `- ${lineSummary(line)}`)].join('\n');
}

function whoamiAnswer(user: z.output<typeof person>): string {
  const name = user.name ?? user.subject;
  const email = user.email === null ? '' : ` (${user.email})`;
  return `You are signed in as **${name}**${email}, on a ${environmentName(user.environment)} account.`;
}

function toView({ account, positions, traded_today }: z.output<typeof portfolio>): PortfolioFigures {
  const traded = new Map(
    traded_today.map(({ symbol, qty, paid }) => [symbol, { qty: new Dec(qty), paid: new Dec(paid) }]),
  );
  return buildPortfolioView(account, positions, { traded });
}

function portfolioAnswer(view: PortfolioFigures): string {
  const day =
    view.day_change === null || view.day_change_fraction === null
      ? formatTodayChange(null, null)
      : `${formatSignedDollars(view.day_change)}, ${formatSignedPercent(view.day_change_fraction)} today`;
  const lines = [
    `Equity **${formatDollarAmount(view.equity)}** (${day}), cash ${formatDollarAmount(view.cash)}, buying power ${formatDollarAmount(view.buying_power)}. ${accountLabel(view.environment, view.simulated)}`,
  ];
  if (view.rows.length === 0) return [...lines, 'No positions.'].join('\n\n');
  const { total } = view;
  return [
    ...lines,
    table(
      ['Symbol', 'Qty', 'Price', 'Value', 'Weight', 'Today', 'P/L', 'P/L %'],
      [
        ...view.rows.map((row) => [
          describeOptionSymbol(row.symbol),
          formatShares(row.qty),
          formatSharePrice(row.price),
          ...figures(row),
        ]),
        ['Total', '', '', ...figures(total)],
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

function quoteTable(list: z.output<typeof quotes>['quotes'], qty: string | undefined): string {
  const dayOf = ({ last, previous_close }: (typeof list)[number]) =>
    new Dec(previous_close).gt(0)
      ? formatSignedPercent(new Dec(last).div(previous_close).minus(1).toDecimalPlaces(8).toFixed())
      : '';
  const said = list.map((quote) => {
    const day = dayOf(quote);
    if (qty !== undefined) {
      const cost = new Dec(quote.ask).mul(qty).toFixed(2);
      return `${formatShares(qty)} ${quote.symbol} cost about **${formatDollarAmount(cost)}**, at ${formatSharePrice(quote.ask)} each.`;
    }
    return `${quote.symbol} is at **${formatSharePrice(quote.last)}**${day === '' ? '' : `, ${day} today`}.`;
  });
  const rows = list.map((quote) => [
    quote.symbol,
    formatSharePrice(quote.last),
    formatSharePrice(quote.bid),
    formatSharePrice(quote.ask),
    dayOf(quote),
  ]);
  const note = list.some((quote) => quote.simulated) ? '\n\nPrices are simulated.' : '';
  return `${said.join(' ')}\n\n${table(['Symbol', 'Last', 'Bid', 'Ask', 'Day'], rows)}${note}`;
}

function orderTable(list: z.output<typeof orderList>, symbol: unknown): string {
  const { state, total, total_is_minimum: isMinimum = false, orders } = list;
  const what = [...(state === 'all' ? [] : [state]), ...(typeof symbol === 'string' ? [symbol] : [])].join(' ');
  const [newest] = orders;
  if (newest === undefined) return `No ${what === '' ? '' : `${what} `}orders.`;
  const count = `${isMinimum ? 'at least ' : ''}${total} ${what === '' ? '' : `${what} `}${total === 1 ? 'order' : 'orders'}`;
  const first = state === 'open' ? `You have ${count}.` : `Newest of ${count}: ${formatOrderSummary(newest)}.`;
  const rejected = orders.find(({ status }) => status === 'rejected');
  const why =
    rejected === undefined
      ? ''
      : ` Rejected: ${describeOpenOrder(rejected)}. The list has no reason for it; your broker’s app may.`;
  const lead = `${first}${why}\n\n`;
  const short = createIdShortener(orders.map(({ id }) => id));
  const rows = table(
    ['Id', 'Order', 'State', 'Filled', 'Price', 'Good'],
    orders.map((order) => [
      short(order.id),
      describeOpenOrder(order),
      order.status.replaceAll('_', ' '),
      formatShares(order.filled_qty),
      order.filled_avg_price === null ? '' : formatSharePrice(order.filled_avg_price),
      goodFor[order.time_in_force] ?? order.time_in_force,
    ]),
  );
  return total === orders.length
    ? `${lead}${rows}`
    : `${lead}${rows}\n\nShowing the newest ${orders.length} of ${isMinimum ? 'at least ' : ''}${total}.`;
}

const goodFor: Readonly<Record<string, string>> = { day: 'until the close', gtc: 'until canceled' };

function accountLabel(environment: string, simulated: boolean): string {
  const account = `${environmentName(environment)} account`;
  return simulated ? `${account}, simulated prices.` : `${account}.`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replace(/[|\r\n]/g, ' ')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

export const helpText = `I am the built-in planner. I use a small grammar, not a language model. I understand

- **prices**: \`AAPL\`, \`quote AAPL\`, \`price of apple and nvidia\`, \`chart AAPL 6 months\`, \`is the market open?\`
- **your account**: \`what do I own\`, \`how am I doing\`, \`how much did I make today\`, \`biggest position\`, \`my AAPL position\`, \`cash\`, \`who am I\`
- **orders**: \`open orders\`, \`all orders\`, \`cancel my last order\`, \`cancel my AAPL order\`, \`cancel all orders\`, \`change my AAPL order to limit 185\`
- **buying and selling**: \`buy 5 AAPL\`, \`buy 5 AAPL limit 180 gtc\`, \`buy $500 of microsoft\`, \`sell half my MSFT\`, \`close my NVDA\`, \`sell 10 TSLA stop 200\`, \`sell 10 TSLA stop 200 limit 199\`, \`sell 10 TSLA trailing stop 5%\`, \`buy 5 AAPL at 180 extended hours\`, \`buy 5 AAPL with a stop at 170 and take profit at 200\`, \`sell 5 AAPL at 200 or stop 170\`
- **risk, tax, rules**: \`what's my risk\`, \`my lots of NVDA\`, \`would selling KO be a wash sale?\`, \`would 5 AAPL pass my rules?\`, \`any findings?\`
- **rebalancing**: \`rebalance to 60% VTI 40% BND\`
- **recurring and conditional orders**: \`buy $200 of VTI every Monday\`, \`buy 5 AAPL every trading day at 11:30 until December 18\`, \`sell 5 NVDA if it falls below 100 before Friday\`
- **alerts**: \`tell me when AAPL falls below 180\`, \`alert me if NVDA rises by more than 5% today\`, \`what alerts do I have?\`, \`stop telling me about AAPL\`, \`check my alerts every 15 minutes\`
- **follow-ups**: \`what about MSFT?\`, \`the same for KO\`
- **messages**: \`send my portfolio to slack #trading\`, \`email my portfolio to bob@example.com\`
- several requests at once, joined by \`and\` or \`;\`, and requests in German, Spanish, French, Portuguese, Chinese, Japanese and Korean

In a terminal, put a sentence with a \`$\` in single quotes: \`trade-agent run 'buy $250 of NVDA'\`.

Every order and every message goes to your phone first; nothing is traded or sent until you approve it there.`;

const one = z.lazy(() => z.object({ name: z.string(), enabled: z.boolean(), snoozed_until: z.string().nullable() }));
const care = () => ({ looked_at_by: z.array(z.string()), told_by: z.array(z.string()) });
const set = z.lazy(() =>
  z.object({
    ...care(),
    alert: one,
    when: z.string(),
    is_new: z.boolean(),
    is_so_now: z.boolean(),
    last_in_words: z.string().optional(),
  }),
);
const listed = z.lazy(() => one.unwrap().extend({ when: z.string() }));
const list = z.lazy(() => z.object({ ...care(), alerts: z.array(listed), count: z.number() }));
const removed = z.lazy(() => z.object({ removed: z.array(listed) }));
const schedule = z.lazy(() =>
  z.object({ schedule: z.string(), when: z.string(), is_new: z.boolean(), with: z.string() }),
);

function alertAnswer(tool: string, content: unknown): string {
  switch (tool) {
    case 'set_alert':
      return setAlertAnswer(set.parse(content));
    case 'list_alerts':
      return alertListAnswer(list.parse(content));
    case 'remove_alert':
      return removed
        .parse(content)
        .removed.map(({ name, when }) => `You will no longer be notified when ${when} (\`${name}\`).`)
        .join('\n');
    default: {
      const { schedule: id, when, is_new, with: by } = schedule.parse(content);
      return is_new
        ? `Your alerts are checked ${when}: schedule ${id}, run by ${by}.${by === 'server' ? '' : ` To remove it, run \`trade-agent schedule remove ${id}\`.`}`
        : `Your alerts are already checked ${when}: schedule ${id}.`;
    }
  }
}

function setAlertAnswer(answer: z.output<typeof set>): string {
  const { alert, when, is_new, is_so_now, last_in_words } = answer;
  const now = last_in_words === undefined ? '' : ` It is now at ${last_in_words}.`;
  return [
    `${is_new ? 'You will be notified once' : 'There is already an alert for'} when ${when} (\`${alert.name}\`).${now}${is_so_now ? ' That is already the case, so the next check will notify you.' : ''}`,
    ...missingCareHints(answer),
  ].join('\n');
}

function alertListAnswer(answer: z.output<typeof list>): string {
  const { alerts, count } = answer;
  if (count === 0) return 'You have no alerts. For example: "tell me when AAPL falls below 180".';
  const more = count > alerts.length ? [`- … and ${count - alerts.length} more`] : [];
  return [
    'You will be notified when',
    ...alerts.map(({ name, when, enabled, snoozed_until: until }) => {
      const off = enabled ? (until === null ? '' : `, snoozed until ${formatTimeWithZone(until)}`) : ', off';
      return `- ${when} (\`${name}\`${off})`;
    }),
    ...more,
    ...missingCareHints(answer).map((line) => `\n${line}`),
  ].join('\n');
}

function missingCareHints({ looked_at_by, told_by }: { looked_at_by: string[]; told_by: string[] }): string[] {
  return [
    ...(looked_at_by.length > 0 ? [] : ['Nothing checks your alerts yet. Try "check my alerts every 15 minutes".']),
    ...(told_by.length > 0
      ? []
      : [
          'You have no notification channel yet. Add one with `trade-agent notices add NAME KIND` (docs/guide/NOTICES.md).',
        ]),
  ];
}

function portfolioViewAnswer(data: z.output<typeof portfolio>, view: ResultView): string {
  const { account, positions } = data;
  const figures = toView(data);
  if (view.view === undefined && view.ranking === undefined && view.symbol === undefined)
    return portfolioAnswer(figures);
  const note = account.simulated ? ' Prices are simulated.' : '';
  const answer =
    view.symbol !== undefined
      ? positionAnswer(figures, positions, view.symbol)
      : view.ranking !== undefined
        ? rankingAnswer(figures, positions, view.ranking)
        : portfolioFigureAnswer(account, figures, view.view ?? 'total');
  return `${answer}${note}`;
}

function positionAnswer({ rows }: PortfolioFigures, positions: readonly Position[], wanted: string): string {
  const held = positions.find(({ symbol }) => symbol === wanted);
  const row = rows.find(({ symbol }) => symbol === wanted);
  if (held === undefined || row === undefined) return `You hold no ${wanted}.`;
  return [
    `You hold ${describePosition(held)}, ${percent(row.weight)} of your equity.`,
    `Average cost: ${formatSharePrice(held.avg_entry_price)}, ${formatDollarAmount(held.cost_basis)} in total. Price: ${formatSharePrice(row.price)}, ${formatSignedDollars(row.day_change)} today.`,
  ].join(' ');
}

function describePosition({ symbol, side, qty, market_value, unrealized_pl, unrealized_plpc }: Position): string {
  const short = side === 'short' ? ' short' : '';
  return `${formatShares(qty)} ${describeOptionSymbol(symbol)}${short}, worth ${formatDollarAmount(market_value)} (${formatSignedDollars(unrealized_pl)}, ${formatSignedPercent(unrealized_plpc)})`;
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
): string {
  if (rows.length === 0) return 'You have no positions.';
  const rank = rankedBy[by];
  const sorted = rows.toSorted((one, two) => rank(two).comparedTo(rank(one)));
  const describe = (row: PortfolioRow) => {
    const held = positions.find(({ symbol }) => symbol === row.symbol);
    const today = by === 'day' ? `, ${formatSignedDollars(row.day_change)} today` : '';
    return `${held === undefined ? row.symbol : describePosition(held)}, ${percent(row.weight)} of your equity${today}`;
  };
  const name = by === 'value' ? 'biggest' : 'best';
  const parts = [
    ...(from === 'bottom' ? [] : [[name, sorted.slice(0, count)] as const]),
    ...(from === 'top' ? [] : [['worst', sorted.toReversed().slice(0, count)] as const]),
  ];
  return parts
    .map(([which, found]) => {
      const [first] = found;
      const isGain = which === 'worst' && first !== undefined && rank(first).gte(0);
      const gain = isGain ? ' None of your positions is at a loss.' : '';
      return first !== undefined && found.length === 1
        ? `Your ${which} position is ${describe(first)}.${gain}`
        : [`Your ${which} positions:`, ...found.map((row) => `- ${describe(row)}`), ''].join('\n');
    })
    .join('\n');
}

function portfolioFigureAnswer(account: Account, figures: PortfolioFigures, view: PortfolioView): string {
  switch (view) {
    case 'day':
      if (figures.day_change === null || figures.day_change_fraction === null) {
        return `Today's change is unknown: your broker does not report the account's value at the last close. Equity ${formatDollarAmount(account.equity)}.`;
      }
      return `Today ${formatSignedDollars(figures.day_change)} (${formatSignedPercent(figures.day_change_fraction)}), including deposits and withdrawals. Equity: ${formatDollarAmount(account.equity)}.`;
    case 'total':
      return `Open positions: ${formatSignedDollars(figures.total.unrealized)} (${formatSignedPercent(figures.total.unrealized_fraction)} of their cost).`;
    case 'options': {
      const held = figures.rows.filter(({ symbol }) => parseOptionSymbol(symbol) !== undefined);
      if (held.length === 0) return 'You hold no options.';
      return [
        'Your options, with the day they expire:',
        ...held.map(
          (row) => `- ${formatShares(row.qty)} ${describeOptionSymbol(row.symbol)}, ${formatDollarAmount(row.value)}`,
        ),
        '',
      ].join('\n');
    }
    default: {
      const cash = `You have **${formatDollarAmount(account.cash)}** in cash, and your buying power is ${formatDollarAmount(account.buying_power)}. Equity: ${formatDollarAmount(account.equity)}.`;
      return view === 'cash'
        ? cash
        : `${cash} Your broker doesn’t tell me how much of the cash has settled and can be withdrawn; what you sell settles one business day after the trade.`;
    }
  }
}

function percent(fraction: string): string {
  return `${new Dec(fraction).times(100).toFixed(1)}%`;
}

const CHART_WIDTH = 60;

function chartAnswer({ symbol, bars }: { readonly symbol: string; readonly bars: readonly Bar[] }): string {
  const [first] = bars;
  const last = bars.at(-1);
  if (first === undefined || last === undefined || bars.length < 2)
    return `There are too few prices for a chart of ${symbol}.`;
  const change = new Dec(last.close).minus(first.close);
  const fraction = change.div(first.close).toDecimalPlaces(8).toFixed();
  const closes = bars.map(({ close }) => close);
  const [low, high] = [Dec.min(...closes), Dec.max(...closes)].map((price) => formatSharePrice(price.toFixed()));
  return [
    `${symbol} from ${formatDate(first.at.slice(0, 10))} to ${formatDate(last.at.slice(0, 10))}: ${formatSharePrice(first.close)} to ${formatSharePrice(last.close)}, ${formatSignedDollars(change.toFixed(2))} (${formatSignedPercent(fraction)}); low ${low}, high ${high}.`,
    `\`${sparkline(closes, CHART_WIDTH, true)}\``,
  ].join('\n\n');
}

function marketHoursAnswer({ is_open, next_open, next_close }: MarketClock): string {
  return is_open
    ? `The market is open. It closes at ${formatTimeWithZone(next_close)}.`
    : `The market is closed. It opens at ${formatTimeWithZone(next_open)}.`;
}

/** Returns a line such as `BUY 5 AAPL LMT 182.50: filled 5 at $181.20`. */
export function formatOrderSummary(order: Order): string {
  const filled =
    order.filled_avg_price === null
      ? ''
      : ` ${formatShares(order.filled_qty)} at ${formatSharePrice(order.filled_avg_price)}`;
  return `${describeOpenOrder(order)}: ${order.status.replaceAll('_', ' ')}${filled}`;
}

/** Returns a line such as `2 of 3 orders placed, 1 refused: SELL 5 AAPL …: filled …; refused: …`. */
export function formatBatchSummary(lines: readonly BatchLine[]): string {
  return `${describeBatchOutcome(lines)}: ${lines.map(lineSummary).join('; ')}`;
}

function lineSummary({ outcome, order, reason }: BatchLine): string {
  if (order !== undefined) return formatOrderSummary(order);
  return outcome === 'not_sent' ? 'not sent' : `refused: ${reason?.text ?? 'the gateway refused it'}`;
}
