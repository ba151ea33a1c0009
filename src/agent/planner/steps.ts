import { z } from 'zod';
import { phrase, type Say } from '../../text/phrase.ts';
import { formatDollarAmount, formatPercent, formatSharePrice, formatShares } from '../../trading/amounts.ts';
import { parseOptionSymbol } from '../../trading/asset-class.ts';
import { describeOptionSymbol } from '../../trading/contract-words.ts';
import { Dec, toPlain } from '../../trading/decimal.ts';
import { isLastOfSeveral } from '../../trading/expiry.ts';
import { MIN_BATCH_ORDERS } from '../../trading/kinds/batch.ts';
import { listedContractSchema } from '../../trading/listed-contract.ts';
import { hasEndedEntry, openLegs } from '../../trading/order-legs.ts';
import { describeSkippedReason } from '../../trading/portfolio/rebalance.ts';
import { type Order, orderSchema, quoteSchema } from '../../trading/views.ts';
import { defined } from '../../values/defined.ts';
import { type ContractMention, describeContract, matchesContract } from '../reader/contract-mention.ts';
import {
  type FigureIntent,
  type Intent,
  isUnresolvedName,
  listIntentSymbols,
  mapSymbols,
  type OrderIntent,
  type RebalanceIntent,
  type StandingOrderIntent,
} from '../reader/intent.ts';
import { unresolvedNames } from '../reader/read.ts';
import { NotUnderstoodError } from '../reader/refusal.ts';
import {
  isAmbiguousName,
  type NameSearchResult,
  nameQueries,
  nameSearchSchema,
  requireSymbol,
} from '../reader/symbols-by-name.ts';
import {
  dependsOnCost,
  dependsOnLast,
  deriveFields,
  deriveTarget,
  isSizedByHoldings,
  type OrderFacts,
  priceSchema,
  saleAndPurchase,
} from './derived-order.ts';
import { figureSteps } from './figure-steps.ts';
import { lookupStep, type PlannerStep } from './lookup-step.ts';
import {
  findOrdersToCancel,
  findOrderToChange,
  isFullId,
  newestOrdersQuery,
  openOrdersQuery,
  orderChangeArguments,
} from './open-orders.ts';

const orders = z.lazy(() =>
  z.object({
    orders: z.array(orderSchema),
    total: z.number().default(0),
    next_cursor: z.string().nullable().default(null),
  }),
);

const MAX_QUERIES = 20;

interface Lookup {
  readonly step: PlannerStep;
  readonly content: unknown;
}

const needsHoldings = (intent: Intent) =>
  (intent.kind === 'order' && (isSizedByHoldings(intent) || dependsOnCost(intent))) ||
  (intent.kind === 'swap' && isSizedByHoldings(intent.sale)) ||
  intent.kind === 'target' ||
  (intent.kind === 'standing' && isSizedByHoldings(intent));
const needsNewest = (intent: Intent) =>
  (intent.kind === 'cancel' || intent.kind === 'replace') && 'newest' in intent.which;
/** Returns whether an intent needs the open orders, to find the order or to tell a quantity from a price. */
const needsOpenOrders = (intent: Intent) =>
  (intent.kind === 'cancel' && !('id' in intent.which && isFullId(intent.which.id)) && !('newest' in intent.which)) ||
  (intent.kind === 'replace' && !('newest' in intent.which));

/**
 * Returns the lookups that planning needs: the tickers for company names, the positions for "half my MSFT", and the
 * open orders for a cancellation.
 */
export function planLookups(intents: readonly Intent[]): PlannerStep[] {
  const steps: PlannerStep[] = [];
  const queries = unresolvedNames(intents).flatMap(nameQueries);
  if (queries.length > MAX_QUERIES) {
    throw new NotUnderstoodError(
      phrase`That is too many names at once.`,
      phrase`Use their ticker symbols, or ask for fewer.`,
    );
  }
  if (queries.length > 0) steps.push({ name: 'search_symbols', args: { queries } });
  for (const account of new Set(intents.filter(needsHoldings).map((intent) => intent.account))) {
    steps.push(portfolioStep(account));
  }
  const looks = [
    [needsOpenOrders, openOrdersQuery],
    [needsNewest, newestOrdersQuery],
  ] as const;
  for (const [needs, query] of looks) {
    for (const account of new Set(intents.filter(needs).map((intent) => intent.account)))
      steps.push(ordersStep(query, account));
  }
  for (const intent of intents) if (isForOption(intent)) steps.push(contractStep(intent));
  for (const intent of intents) if (intent.kind === 'rebalance') steps.push(rebalanceStep(intent));
  return steps;
}

/** Figures about something held or ordered. */
const OWN_FIGURES: readonly FigureIntent['figure'][] = ['progress', 'gain', 'raise'];
const OWN_KINDS: readonly Intent['kind'][] = ['portfolio', 'orders', 'lots', 'gains', 'activities', 'wash'];

/** Returns whether an intent is about something held, or sells it. */
const isOfHeld = (intent: Intent) =>
  OWN_KINDS.includes(intent.kind) ||
  (intent.kind === 'computed' && (OWN_FIGURES.includes(intent.figure) || intent.side === 'sell')) ||
  (intent.kind === 'order' && intent.request.side === 'sell');

/**
 * Resolves names. The open orders decide which "coke" the words "cancel my coke order" mean, and the positions which one
 * "sell 5 coke" means.
 */
function withTickers(
  intents: readonly Intent[],
  found: readonly NameSearchResult[],
  { ordered, held }: { readonly ordered: readonly string[]; readonly held: readonly string[] },
): Intent[] {
  return intents.map((intent) => {
    const isOfOrder = intent.kind === 'cancel' || intent.kind === 'replace';
    const known = isOfOrder ? ordered : isOfHeld(intent) ? held : [];
    return mapSymbols(intent, (symbol) => (isUnresolvedName(symbol) ? requireSymbol(symbol, found, known) : symbol));
  });
}

/**
 * Returns the calls for quotes, and for the positions if a name may mean several assets. With the quotes,
 * {@link planSteps} decides whether a limit is per share or a total, and on which side of the price an order or an alert
 * waits.
 */
export function planPriceLookups(intents: readonly Intent[], found: readonly Lookup[]): PlannerStep[] {
  const names = nameResults(found);
  const unclear = intents.filter(
    (intent) =>
      isOfHeld(intent) &&
      !needsPrice(intent) &&
      stepAnswer(portfolioStep(intent.account), found) === undefined &&
      listIntentSymbols(intent).some((name) => isUnresolvedName(name) && isAmbiguousName(name, names)),
  );
  const clear = intents.filter((intent) => !unclear.includes(intent));
  const steps = [
    ...unclear.map(({ account }) => portfolioStep(account)),
    ...resolveNames(clear, found).filter(needsPrice).map(priceStep),
  ];
  return steps.filter((step, at) => steps.findIndex((one) => isSame(one, step)) === at);
}

/** Returns the calls for the intents. @throws {NotUnderstoodError} if a lookup shows that an intent is impossible */
export function planSteps(intents: readonly Intent[], found: readonly Lookup[]): PlannerStep[] {
  const resolved = resolveNames(intents, found);
  requireSoldOnce(resolved);
  return resolved.flatMap((intent) =>
    intentSteps(intent, found).map((step) => ({
      ...step,
      args: { ...step.args, ...accountArguments(intent.account) },
    })),
  );
}

/** Requires that no whole position is sold twice, once by its name and once by its ticker. @throws {NotUnderstoodError} */
function requireSoldOnce(intents: readonly Intent[]): void {
  const sold = intents.flatMap((intent) =>
    intent.kind === 'order' && intent.fraction === '1' && intent.request.side === 'sell' ? [intent.request.symbol] : [],
  );
  const twice = sold.find((symbol, at) => sold.indexOf(symbol) < at);
  if (twice === undefined) return;
  throw new NotUnderstoodError(
    phrase`I don't understand "${twice}" in this request, so I haven't done anything.`,
    phrase`Write each one out, as in "buy 5 AAPL and buy 3 MSFT".`,
  );
}

const holdings = z.lazy(() => z.object({ positions: z.array(z.object({ symbol: z.string() })) }));

function nameResults(found: readonly Lookup[]): readonly NameSearchResult[] {
  const search = found.find(({ step }) => step.name === 'search_symbols')?.content;
  return search === undefined ? [] : nameSearchSchema.parse(search).results;
}

function resolveNames(intents: readonly Intent[], found: readonly Lookup[]): Intent[] {
  const ordered = found.flatMap(({ step, content }) =>
    step.name === 'list_orders' ? orders.parse(content).orders.map(({ symbol }) => symbol) : [],
  );
  const held = found.flatMap(({ step, content }) => {
    const listed = step.name === 'get_portfolio' ? holdings.safeParse(content) : undefined;
    return listed?.success ? listed.data.positions.map(({ symbol }) => symbol) : [];
  });
  return withTickers(intents, nameResults(found), { ordered, held });
}

const isSame = (one: PlannerStep, other: PlannerStep) => JSON.stringify(one) === JSON.stringify(other);

const accountArguments = (account: string | undefined) => defined({ account });

const portfolioStep = (account: string | undefined): PlannerStep => ({
  name: 'get_portfolio',
  args: accountArguments(account),
});

const ordersStep = (
  query: typeof openOrdersQuery | typeof newestOrdersQuery,
  account: string | undefined,
): PlannerStep => ({
  name: 'list_orders',
  args: { ...query, ...accountArguments(account) },
});

function stepAnswer(step: PlannerStep, found: readonly Lookup[]): unknown {
  return found.find((lookup) => isSame(lookup.step, step))?.content;
}

function intentSteps(intent: Intent, found: readonly Lookup[]): PlannerStep[] {
  const ordersOf = (query: typeof openOrdersQuery | typeof newestOrdersQuery): readonly Order[] => {
    const answered = stepAnswer(ordersStep(query, intent.account), found);
    if (answered === undefined) return [];
    const listed = orders.parse(answered);
    if (query === openOrdersQuery && listed.next_cursor !== null)
      throw tooManyOrders(listed.total, listed.orders.length);
    // After the entry order has filled, its legs remain open as orders with their own IDs.
    return listed.orders.flatMap((order) => (hasEndedEntry(order) ? openLegs(order) : [order]));
  };
  switch (intent.kind) {
    case 'computed':
      return figureSteps(intent);
    case 'order':
      return [orderStep(intent, found)];
    case 'standing':
      return [standingStep(intent, found)];
    case 'swap':
      return swapSteps(intent, found);
    case 'target': {
      const { symbol, side, derived } = deriveTarget(intent, orderFacts(intent, found));
      return [{ name: 'place_order', args: { symbol, side, type: 'market', ...derived.fields } }];
    }
    case 'cancel':
      return findOrdersToCancel(intent.which, ordersOf(openOrdersQuery), ordersOf(newestOrdersQuery)).map(
        (order_id) => ({
          name: 'cancel_order',
          args: { order_id },
        }),
      );
    case 'replace': {
      const order = findOrderToChange(intent.which, ordersOf(openOrdersQuery), ordersOf(newestOrdersQuery));
      return [
        {
          name: 'replace_order',
          args: { order_id: order.id, ...orderChangeArguments(intent.change, order, intent.was) },
        },
      ];
    }
    case 'send':
      return [{ name: `send_${intent.service}_summary`, args: { recipient: intent.recipient } }];
    case 'alert':
      return [alertStep(intent, found)];
    case 'stop_alert':
      return [{ name: 'remove_alert', args: { symbol: intent.symbol } }];
    case 'look':
      return [{ name: 'add_schedule', args: { every: intent.every } }];
    case 'rebalance':
      return rebalanceOrderSteps(found.find(({ step }) => step.name === rebalanceStep(intent).name)?.content);
    case 'watch':
      return [{ name: 'set_watchlist', args: { [intent.change]: intent.symbols } }];
    case 'say':
    case 'help':
      return [];
    default:
      return [lookupStep(intent)];
  }
}

type OfAccount = Pick<Intent, 'account'>;

function orderStep(intent: OrderIntent & OfAccount, found: readonly Lookup[]): PlannerStep {
  if (isForOption(intent)) {
    const chain = stepAnswer(contractStep(intent), found);
    return { name: 'place_order', args: { ...intent.request, symbol: resolveContract(intent, chain) } };
  }
  const order = { ...intent.request, ...derivedFields(intent, found) };
  if (mayBoundTotal(intent)) requirePerShare(intent, String(order.qty), lastPrice(intent, found));
  return { name: 'place_order', args: order };
}

function derivedFields(intent: (OrderIntent | StandingOrderIntent) & OfAccount, found: readonly Lookup[]) {
  return deriveFields(intent, orderFacts(intent, found)).fields as { qty?: string };
}

function orderFacts(intent: Intent, found: readonly Lookup[]): OrderFacts {
  const prices = knownPrices.safeParse(stepAnswer(priceStep(intent), found));
  return {
    portfolio: stepAnswer(portfolioStep(intent.account), found),
    prices: prices.success ? prices.data.quotes : [],
  };
}

/** Returns the call for the sale, followed by the call for the purchase with the sale's proceeds. */
function swapSteps(intent: Intent & { kind: 'swap' }, found: readonly Lookup[]): PlannerStep[] {
  const [sale, purchase] = saleAndPurchase(intent, orderFacts(intent, found));
  return [
    { name: 'place_order', args: { ...intent.sale.request, ...sale.derived.fields } },
    {
      name: 'place_order',
      args: { symbol: purchase.symbol, side: 'buy', type: 'market', ...purchase.derived.fields },
    },
  ];
}

function standingStep(intent: StandingOrderIntent & OfAccount, found: readonly Lookup[]): PlannerStep {
  const { type: _, time_in_force: __, ...request } = intent.request;
  const order = { ...request, ...derivedFields(intent, found) };
  if (mayBoundTotal(intent)) requirePerShare(intent, String(order.qty), lastPrice(intent, found));
  const { reaches, ...when } = intent.when;
  const side = reaches === undefined ? {} : waitingSide(order.symbol, reaches, lastPrice(intent, found));
  return { name: 'place_standing_order', args: { ...order, ...when, ...side } };
}

function alertStep(intent: Intent & { kind: 'alert' }, found: readonly Lookup[]): PlannerStep {
  const { reaches, ...alert } = intent.alert;
  const side = reaches === undefined ? {} : waitingSide(alert.symbol, reaches, lastPrice(intent, found));
  return { name: 'set_alert', args: { ...alert, ...side } };
}

/** Returns the error for an incomplete list of open orders, in which the planner can't identify the person's order. */
function tooManyOrders(total: number, listed: number): NotUnderstoodError {
  return new NotUnderstoodError(
    phrase`You have ${total} open orders, and I can only look through ${listed}, so I haven't done anything.`,
    phrase`Use the full ID, which "trade-agent orders list --status open" shows.`,
  );
}

const listed = z.lazy(() => z.object({ contracts: z.array(listedContractSchema), more: z.boolean() }));

type OptionIntent = OrderIntent & { readonly contract: ContractMention };

function isForOption(intent: Intent): intent is OptionIntent {
  return intent.kind === 'order' && intent.contract !== undefined;
}

function contractStep({ request, contract }: OptionIntent): PlannerStep {
  const { right, strike, expiry } = contract;
  const underlying = String(request.symbol);
  return {
    name: 'get_option_contracts',
    args: { underlying, expiry, right, strike_from: strike, strike_to: strike },
  };
}

/** Returns the symbol of the contract. @throws {NotUnderstoodError} with a question if none or several match */
function resolveContract({ request, contract }: OptionIntent, answer: unknown): string {
  const underlying = String(request.symbol);
  const { contracts, more } = listed.parse(answer);
  const all = contracts.map(({ symbol }) => symbol).filter((symbol) => matchesContract(symbol, underlying, contract));
  // The symbols of one contract's expiries are in the order of their dates.
  const found = isLastOfSeveral(contract.expiry) ? all.toSorted().slice(-1) : all;
  const [only] = found;
  if (only !== undefined && found.length === 1 && !more) return only;
  const said = describeContract(underlying, contract);
  if (only === undefined) {
    throw new NotUnderstoodError(
      phrase`There is no ${said}.`,
      phrase`Check its strike and its expiry.`,
      'unknown_symbol',
    );
  }
  const dates = found.map((symbol) => parseOptionSymbol(symbol)?.expiry ?? symbol);
  throw new NotUnderstoodError(
    phrase`Which do you mean by ${said}: ${dates.join(', ')}${more ? ', …' : ''}?`,
    phrase`Give the day, as in "${describeOptionSymbol(only)}".`,
  );
}

/* In "buy 10 AAPL for no more than 1000", the market price shows whether the maximum is per share or in total. */

type Bounded = (OrderIntent | StandingOrderIntent) & { readonly mayBeTotal: true; readonly account?: string };

const knownPrices = z.lazy(() => z.object({ quotes: z.array(priceSchema) }));
const quoted = z.lazy(() => z.object({ quotes: z.tuple([quoteSchema], z.unknown()) }));

function mayBoundTotal(intent: Intent): intent is Bounded {
  return (intent.kind === 'order' || intent.kind === 'standing') && intent.mayBeTotal === true;
}

/** Returns whether an intent depends on the current price. */
function needsPrice(intent: Intent): boolean {
  const isReach =
    (intent.kind === 'standing' && intent.when.reaches !== undefined) ||
    (intent.kind === 'alert' && intent.alert.reaches !== undefined);
  const isDerived =
    intent.kind === 'target' || intent.kind === 'swap' || (intent.kind === 'order' && dependsOnLast(intent));
  return isReach || isDerived || mayBoundTotal(intent);
}

const priceStep = (intent: Intent): PlannerStep => ({
  name: 'get_quote',
  args: { symbols: listIntentSymbols(intent), ...accountArguments(intent.account) },
});

/** Returns the last price of the intent's symbol, or undefined if it is unknown. */
function lastPrice(intent: Intent, found: readonly Lookup[]): string | undefined {
  const quote = quoted.safeParse(stepAnswer(priceStep(intent), found));
  return quote.success && new Dec(quote.data.quotes[0].last).gt(0) ? quote.data.quotes[0].last : undefined;
}

/** Returns the side of the price on which "hits 200" waits. @throws {NotUnderstoodError} with a question if it is unknown */
function waitingSide(symbol: string, price: string, last: string | undefined): { above: string } | { below: string } {
  if (last !== undefined && !new Dec(last).eq(price)) {
    return new Dec(price).gt(last) ? { above: price } : { below: price };
  }
  const question = phrase`Should ${symbol} fall below ${formatSharePrice(price)}, or rise above?`;
  throw new NotUnderstoodError(
    last === undefined ? question : phrase`${symbol} is at ${formatSharePrice(last)} now. ${question}`,
    phrase`Say "… when ${symbol} falls below ${price}" or "… when ${symbol} rises above ${price}".`,
  );
}

function requirePerShare({ request }: Bounded, qty: string, last: string | undefined): void {
  const { limit_price: bound, side, symbol } = request;
  if (bound === undefined || new Dec(qty).eq(1)) return;
  if (last !== undefined && distance(bound, last).lte(distance(bound, new Dec(last).mul(qty)))) return;
  const question = phrase`Is ${formatDollarAmount(bound)} for one share of ${symbol} or for all ${formatShares(qty)}?`;
  const each = new Dec(bound).div(qty).toDecimalPlaces(2, side === 'buy' ? Dec.ROUND_DOWN : Dec.ROUND_UP);
  throw new NotUnderstoodError(
    last === undefined ? question : phrase`${question} ${symbol} is at ${formatSharePrice(last)}.`,
    phrase`For one share, say "limit ${bound}"; for all ${formatShares(qty)}, say "limit ${toPlain(each)}".`,
  );
}

function distance(one: string, other: string | Dec): Dec {
  const ratio = new Dec(one).div(other);
  return ratio.lt(1) ? new Dec(1).div(ratio) : ratio;
}

const suggested = z.lazy(() =>
  z.object({
    orders: z.array(z.record(z.string(), z.unknown())),
    left: z.array(z.object({ symbol: z.string(), reason: z.string() })),
    targets: z.array(z.object({ symbol: z.string(), target: z.string(), weight: z.string() })),
    without_target: z.array(z.string()),
    simulated: z.boolean(),
  }),
);

function rebalanceStep({ targets }: RebalanceIntent): PlannerStep {
  return { name: 'suggest_rebalance', args: { targets: targets.filter(({ symbol }) => symbol !== 'cash') } };
}

function rebalanceOrderSteps(answer: unknown): PlannerStep[] {
  const { orders } = suggested.parse(answer);
  const [only] = orders;
  if (only === undefined) return [];
  return orders.length < MIN_BATCH_ORDERS
    ? [{ name: 'place_order', args: only }]
    : [{ name: 'place_orders', args: { orders } }];
}

export function formatRebalanceAnswer(answer: unknown, say: Say): string {
  const { orders, left, targets, without_target, simulated } = suggested.parse(answer);
  const stood = targets
    .map(({ symbol, weight, target }) => say`${symbol} ${formatPercent(weight)} (target ${formatPercent(target)})`)
    .join(', ');
  return [
    orders.length === 0 ? say`There is nothing to trade. Current weights: ${stood}.` : say`Before: ${stood}.`,
    ...left.map(({ symbol, reason }) => say`${symbol} was left out: ${describeSkippedReason(reason, say)}.`),
    ...(without_target.length === 0 ? [] : [say`Not traded (no target): ${without_target.join(', ')}.`]),
    ...(simulated ? [say`Prices are simulated.`] : []),
  ].join(' ');
}
