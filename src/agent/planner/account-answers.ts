import { z } from 'zod';
import {
  formatDollarAmount,
  formatPercent,
  formatSharePrice,
  formatShares,
  formatSignedDollars,
} from '../../trading/amounts.ts';
import { formatDate } from '../../trading/date-words.ts';
import { Dec } from '../../trading/decimal.ts';
import { describeOrder, orderRequestSchema } from '../../trading/order.ts';
import { periods, periodWords } from '../../trading/period.ts';

const risk = z.lazy(() =>
  z.object({
    period: z.enum(periods),
    returns_counted: z.number(),
    volatility: z.string().nullable(),
    drawdown: z.object({
      now: z.string(),
      high: z.object({ value: z.string(), at: z.string() }).nullable(),
      worst: z.object({ fraction: z.string(), peak_at: z.string(), trough_at: z.string() }).nullable(),
    }),
    concentration: z.object({
      five_largest: z.string(),
      cash: z.string(),
      effective_positions: z.string().nullable(),
    }),
    positions: z.array(z.object({ symbol: z.string(), weight: z.string() })),
    simulated: z.boolean(),
  }),
);
const lots = z.lazy(() =>
  z.object({
    symbol: z.string().optional(),
    lots: z.array(
      z.object({
        symbol: z.string(),
        acquired: z.string(),
        qty: z.string(),
        cost: z.string(),
        gain: z.string(),
        term: z.enum(['short', 'long']),
      }),
    ),
    left_out: z.number().optional(),
    gain: z.object({ short_term: z.string(), long_term: z.string() }),
    incomplete: z.array(z.object({ symbol: z.string(), reason: z.string() })),
    imported: z.number(),
    simulated: z.boolean(),
  }),
);
const sale = z.lazy(() =>
  z.object({
    date: z.string(),
    qty: z.string(),
    price: z.string(),
    loss: z.string(),
    loss_qty: z.string(),
    unknown_cost_qty: z.string(),
    window: z.object({ begins: z.string(), ends: z.string() }),
    purchases: z.array(z.object({ date: z.string(), qty: z.string() })),
    affected_qty: z.string(),
    affected_loss: z.string(),
    unclear: z.string().optional(),
  }),
);
const wash = z.lazy(() =>
  z.object({
    symbol: z.string(),
    verdict: z.string(),
    sale: sale.nullable(),
    open_purchases: z.array(z.unknown()),
    earlier_losses: z.array(sale),
    not_known: z.array(z.string()),
    simulated: z.boolean(),
  }),
);
const finding = z.lazy(() => z.object({ rule: z.string(), severity: z.string(), message: z.string() }));
const findings = z.lazy(() =>
  z.object({
    rules_file: z.string().nullable(),
    findings: z.array(finding),
    ongoing: z.array(finding),
    snoozed: z.array(finding),
    simulated: z.boolean(),
  }),
);
const checked = z.lazy(() =>
  z.object({
    order: orderRequestSchema,
    effect: z.enum(['allow', 'ask', 'deny']),
    texts: z.array(z.string()),
    hint: z.string().optional(),
  }),
);

export function formatAccountAnswer(tool: string, content: unknown): string | undefined {
  switch (tool) {
    case 'get_risk':
      return riskAnswer(risk.parse(content));
    case 'get_tax_lots':
      return lotsAnswer(lots.parse(content));
    case 'check_wash_sale':
      return washSaleAnswer(wash.parse(content));
    case 'get_findings':
      return findingsAnswer(findings.parse(content));
    case 'check_rules':
      return policyCheckAnswer(checked.parse(content));
    default:
      return undefined;
  }
}

const day = (at: string) => formatDate(at.slice(0, 10));
const note = (simulated: boolean) => (simulated ? ['Prices are simulated.'] : []);

function riskAnswer(data: z.output<typeof risk>): string {
  const { drawdown, concentration, positions, simulated } = data;
  const { worst, high } = drawdown;
  const [largest] = positions;
  return [
    data.volatility === null
      ? 'There is too little history to calculate volatility.'
      : `Volatility is **${formatPercent(data.volatility)}** a year, based on ${data.returns_counted} returns ${periodWords[data.period]}.`,
    ...(high === null
      ? []
      : [
          `The account is ${formatPercent(drawdown.now)} below its highest value, ${formatDollarAmount(high.value)} on ${day(high.at)}.`,
        ]),
    ...(worst === null
      ? []
      : [
          `The largest drawdown was ${formatPercent(worst.fraction)}, from ${day(worst.peak_at)} to ${day(worst.trough_at)}.`,
        ]),
    largest === undefined
      ? 'No positions.'
      : `The largest position is ${largest.symbol}, ${formatPercent(largest.weight)} of the account; the five largest are ${formatPercent(concentration.five_largest)}, cash is ${formatPercent(concentration.cash)}.${concentration.effective_positions === null ? '' : ` The account is as diversified as about ${new Dec(concentration.effective_positions).toDecimalPlaces(1).toFixed()} equal positions.`}`,
    ...note(simulated),
  ].join(' ');
}

function lotsAnswer(data: z.output<typeof lots>): string {
  const { lots: list, left_out, gain, incomplete, simulated } = data;
  const missing = incomplete.map(({ symbol, reason }) => `${symbol} is incomplete: ${reason}.`);
  if (list.length === 0) {
    const none = data.symbol === undefined ? 'You have no tax lots.' : `You have no known ${data.symbol} lots.`;
    return [none, ...missing, ...note(simulated)].join(' ');
  }
  const lines = list.map(
    ({ symbol, acquired, qty, cost, gain: one, term }) =>
      `- ${acquired} ${formatShares(qty)} ${symbol}, cost ${formatDollarAmount(cost)}, ${formatSignedDollars(one)}, ${term}-term`,
  );
  const more = left_out === undefined ? [] : [`and ${left_out} more.`];
  const rows =
    data.imported === 0 ? [] : [`${data.imported} of the activities were imported; your broker did not report them.`];
  const sums = `First in, first out; losses disallowed by wash sales are added to the cost.`;
  const total = new Dec(gain.short_term).plus(gain.long_term);
  const lead = `Selling ${data.symbol === undefined ? 'everything' : `all your ${data.symbol}`} at the current price would realize **${formatSignedDollars(total.toFixed(2))}**: ${formatSignedDollars(gain.short_term)} short-term, ${formatSignedDollars(gain.long_term)} long-term. That is no tax advice.`;
  return [lead, lines.join('\n'), ...more, [sums, ...missing, ...rows, ...note(simulated)].join(' ')].join('\n\n');
}

function washSaleAnswer({ symbol, verdict, sale: sold, ...data }: z.output<typeof wash>): string {
  const { open_purchases, earlier_losses, not_known, simulated } = data;
  const lines = [
    ...(sold === null ? [`You hold no ${symbol}.`] : [saleVerdict(symbol, verdict, sold)]),
    ...(sold?.unclear === undefined ? [] : [`The share counts may not match: ${sold.unclear}.`]),
    ...(open_purchases.length === 0 ? [] : [`An open order would buy more ${symbol}.`]),
    ...earlier_losses.map(
      ({ date, qty, loss, window }) =>
        `${formatShares(qty)} ${symbol} were sold on ${date} at a loss of ${formatDollarAmount(loss)}: buying it again by ${window.ends} would make that a wash sale.`,
    ),
    `Unknown: ${not_known.join('; ')}.`,
  ];
  return [...lines, ...note(simulated)].join(' ');
}

function saleVerdict(symbol: string, verdict: string, sold: z.output<typeof sale>): string {
  const what = `selling ${formatShares(sold.qty)} ${symbol} at ${formatSharePrice(sold.price)}`;
  const bought = sold.purchases.map(({ date, qty }) => `${formatShares(qty)} on ${date}`).join(', ');
  const until = `Buying more by ${sold.window.ends} would count too.`;
  switch (verdict) {
    case 'wash_sale':
      return `Yes: ${what} would realize a loss of ${formatDollarAmount(sold.loss)}, and shares were bought within 30 days (${bought}).`;
    case 'partly_wash_sale':
      return `Partly: ${what} would realize a loss of ${formatDollarAmount(sold.loss)}; ${formatDollarAmount(sold.affected_loss)} of that, on ${formatShares(sold.affected_qty)} shares, is a wash sale because shares were bought within 30 days (${bought}). ${until}`;
    case 'no_loss':
      return `No: ${what} would not realize a loss.`;
    case 'cost_unknown':
      return `I can’t tell: the cost of ${formatShares(sold.unknown_cost_qty)} of the shares is unknown.`;
    default:
      return `No, judging by this account’s trades: ${what} would realize a loss of ${formatDollarAmount(sold.loss)}, and nothing else was bought within 30 days. ${until}`;
  }
}

function findingsAnswer({
  rules_file,
  findings: fresh,
  ongoing,
  snoozed,
  simulated,
}: z.output<typeof findings>): string {
  const by = rules_file === null ? 'the default rules' : rules_file;
  const lines = [
    ...fresh.map(({ severity, message }) => `- ${severity}: ${message}`),
    ...ongoing.map(({ severity, message }) => `- ${severity}, ongoing: ${message}`),
    ...snoozed.map(({ severity, message }) => `- ${severity}, snoozed: ${message}`),
  ];
  const head = lines.length === 0 ? `No findings from ${by}.` : `Findings from ${by}:\n\n${lines.join('\n')}`;
  return [head, ...note(simulated)].join(lines.length === 0 ? ' ' : '\n\n');
}

function policyCheckAnswer({ order, effect, texts, hint }: z.output<typeof checked>): string {
  const what = describeOrder(order);
  const why = texts.length === 0 ? '' : `: ${texts.join('; ').replace(/\.$/, '')}`;
  if (effect === 'deny') return `${what} would not pass${why}.${hint === undefined ? '' : ` ${hint}`}`;
  return `${what} would pass${effect === 'ask' ? ', with your approval on the phone' : ' without your approval'}.`;
}
