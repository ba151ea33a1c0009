import { z } from 'zod';
import type { Say } from '../../text/phrase.ts';
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
import { periodPhrases, periods } from '../../trading/period.ts';

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

export function formatAccountAnswer(tool: string, content: unknown, say: Say): string | undefined {
  switch (tool) {
    case 'get_risk':
      return riskAnswer(risk.parse(content), say);
    case 'get_tax_lots':
      return lotsAnswer(lots.parse(content), say);
    case 'check_wash_sale':
      return washSaleAnswer(wash.parse(content), say);
    case 'get_findings':
      return findingsAnswer(findings.parse(content), say);
    case 'check_rules':
      return policyCheckAnswer(checked.parse(content), say);
    default:
      return undefined;
  }
}

const day = (at: string, { locale }: Say) => formatDate(at.slice(0, 10), locale);
const note = (simulated: boolean, say: Say) => (simulated ? [say`Prices are simulated.`] : []);

function riskAnswer(data: z.output<typeof risk>, say: Say): string {
  const { drawdown, concentration, positions, simulated } = data;
  const { worst, high } = drawdown;
  const [largest] = positions;
  return [
    data.volatility === null
      ? say`There is too little history to calculate volatility.`
      : say`Volatility is **${formatPercent(data.volatility)}** a year, based on ${data.returns_counted} returns ${periodPhrases[data.period]}.`,
    ...(high === null
      ? []
      : [
          say`The account is ${formatPercent(drawdown.now)} below its highest value, ${formatDollarAmount(high.value)} on ${day(high.at, say)}.`,
        ]),
    ...(worst === null
      ? []
      : [
          say`The largest drawdown was ${formatPercent(worst.fraction)}, from ${day(worst.peak_at, say)} to ${day(worst.trough_at, say)}.`,
        ]),
    ...(largest === undefined
      ? [say`No positions.`]
      : [
          say`The largest position is ${largest.symbol}, ${formatPercent(largest.weight)} of the account; the five largest are ${formatPercent(concentration.five_largest)}, cash is ${formatPercent(concentration.cash)}.`,
          ...(concentration.effective_positions === null
            ? []
            : [
                say`The account is as diversified as about ${new Dec(concentration.effective_positions).toDecimalPlaces(1).toFixed()} equal positions.`,
              ]),
        ]),
    ...note(simulated, say),
  ].join(' ');
}

function lotsAnswer(data: z.output<typeof lots>, say: Say): string {
  const { lots: list, left_out, gain, incomplete, simulated } = data;
  const missing = incomplete.map(({ symbol, reason }) => say`${symbol} is incomplete: ${reason}.`);
  if (list.length === 0) {
    const none = data.symbol === undefined ? say`You have no tax lots.` : say`You have no known ${data.symbol} lots.`;
    return [none, ...missing, ...note(simulated, say)].join(' ');
  }
  const lines = list.map(
    ({ symbol, acquired, qty, cost, gain: one, term }) =>
      `- ${say`${acquired} ${formatShares(qty)} ${symbol}, cost ${formatDollarAmount(cost)}, ${formatSignedDollars(one)}, ${term === 'long' ? say`long-term` : say`short-term`}`}`,
  );
  const more = left_out === undefined ? [] : [say`and ${left_out} more.`];
  const rows =
    data.imported === 0
      ? []
      : [say`${data.imported} of the activities were imported; your broker did not report them.`];
  const sums = say`First in, first out; losses disallowed by wash sales are added to the cost.`;
  const total = new Dec(gain.short_term).plus(gain.long_term);
  const sum = formatSignedDollars(total.toFixed(2));
  const [short, long] = [formatSignedDollars(gain.short_term), formatSignedDollars(gain.long_term)];
  const lead =
    data.symbol === undefined
      ? say`Selling everything at the current price would realize **${sum}**: ${short} short-term, ${long} long-term. This is not tax advice.`
      : say`Selling all your ${data.symbol} at the current price would realize **${sum}**: ${short} short-term, ${long} long-term. This is not tax advice.`;
  return [lead, lines.join('\n'), ...more, [sums, ...missing, ...rows, ...note(simulated, say)].join(' ')].join('\n\n');
}

function washSaleAnswer({ symbol, verdict, sale: sold, ...data }: z.output<typeof wash>, say: Say): string {
  const { open_purchases, earlier_losses, not_known, simulated } = data;
  const lines = [
    ...(sold === null ? [say`You hold no ${symbol}.`] : [saleVerdict(symbol, verdict, sold, say)]),
    ...(sold?.unclear === undefined ? [] : [say`The share counts may not match: ${sold.unclear}.`]),
    ...(open_purchases.length === 0 ? [] : [say`An open order would buy more ${symbol}.`]),
    ...earlier_losses.map(
      ({ date, qty, loss, window }) =>
        say`${formatShares(qty)} ${symbol} were sold on ${date} at a loss of ${formatDollarAmount(loss)}: buying it again by ${window.ends} would make that a wash sale.`,
    ),
    say`Unknown: ${not_known.join('; ')}.`,
  ];
  return [...lines, ...note(simulated, say)].join(' ');
}

function saleVerdict(symbol: string, verdict: string, sold: z.output<typeof sale>, say: Say): string {
  const what = say`selling ${formatShares(sold.qty)} ${symbol} at ${formatSharePrice(sold.price)}`;
  const bought = sold.purchases.map(({ date, qty }) => say`${formatShares(qty)} on ${date}`).join(', ');
  const until = say`Buying more by ${sold.window.ends} would count too.`;
  switch (verdict) {
    case 'wash_sale':
      return say`Yes: ${what} would realize a loss of ${formatDollarAmount(sold.loss)}, and shares were bought within 30 days (${bought}).`;
    case 'partly_wash_sale':
      return say`Partly: ${what} would realize a loss of ${formatDollarAmount(sold.loss)}; ${formatDollarAmount(sold.affected_loss)} of that, on ${formatShares(sold.affected_qty)} shares, is a wash sale because shares were bought within 30 days (${bought}). ${until}`;
    case 'no_loss':
      return say`No: ${what} would not realize a loss.`;
    case 'cost_unknown':
      return say`I can’t tell: the cost of ${formatShares(sold.unknown_cost_qty)} of the shares is unknown.`;
    default:
      return say`No, judging by this account’s trades: ${what} would realize a loss of ${formatDollarAmount(sold.loss)}, and nothing else was bought within 30 days. ${until}`;
  }
}

function findingsAnswer(
  { rules_file, findings: fresh, ongoing, snoozed, simulated }: z.output<typeof findings>,
  say: Say,
): string {
  const by = rules_file === null ? say`the default rules` : rules_file;
  const lines = [
    ...fresh.map(({ severity, message }) => `- ${severity}: ${message}`),
    ...ongoing.map(({ severity, message }) => `- ${say`${severity}, ongoing: ${message}`}`),
    ...snoozed.map(({ severity, message }) => `- ${say`${severity}, snoozed: ${message}`}`),
  ];
  const head =
    lines.length === 0 ? say`No findings from ${by}.` : `${say`Findings from ${by}:`}\n\n${lines.join('\n')}`;
  return [head, ...note(simulated, say)].join(lines.length === 0 ? ' ' : '\n\n');
}

function policyCheckAnswer({ order, effect, texts, hint }: z.output<typeof checked>, say: Say): string {
  const what = describeOrder(order);
  if (effect === 'ask') return say`${what} would pass, with your approval on the phone.`;
  if (effect === 'allow') return say`${what} would pass without your approval.`;
  const why = texts.join('; ').replace(/\.$/, '');
  const refused = why === '' ? say`${what} would not pass.` : say`${what} would not pass: ${why}.`;
  return hint === undefined ? refused : `${refused} ${hint}`;
}
