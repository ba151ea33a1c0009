import { printableAscii } from '../../../text/unseen.ts';
import { dollars, percent, sharePrice, shares } from '../../../trading/amounts.ts';
import {
  assetClassOf,
  optionOf,
  priceWords,
  quantityWords,
  ticksOf,
  unitsOf,
} from '../../../trading/asset-class.ts';
import { contractWords } from '../../../trading/contract-words.ts';
import { Dec, price } from '../../../trading/decimal.ts';
import { newYorkTimestamp, weekday } from '../../../trading/new-york-time.ts';
import type { Environment, OrderDraft, OrderRequest } from '../../../trading/order.ts';
import { beyond, priceNow } from '../../../trading/price-drift.ts';
import type { WorstCase } from '../../../trading/proposal.ts';
import { Refusal } from '../../../trading/refusal.ts';
import type { Account, MarketClock, Position, Quote } from '../../../trading/views.ts';

type Decimal = InstanceType<typeof Dec>;

/** A limit further from the price than this is likely a slip: a fraction. */
const FAR_LIMIT = '0.10';
/** One order for more than this part of the account is worth a second look: a fraction. */
const LARGE_PART = '0.25';
/** A position that a purchase makes larger than this part of the account stands or falls with one security: a fraction. */
const CONCENTRATED = '0.40';
const WEEKDAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'] as const;
/** A company's name is text from outside: cut, and printable ASCII alone. */
const LONGEST_NAME = 60;

/**
 * What the order does to the account, and what about it is worth a second look: for the phone, beside the order. At
 * the worst case; where nothing bounds that, at the reference price.
 */
export function effectsOf(
  draft: OrderDraft,
  worst: WorstCase,
  {
    account,
    quote,
    positions,
    market,
  }: { account: Account; quote: Quote; positions: readonly Position[]; market: MarketClock },
): { readonly shows: Readonly<Record<string, string>>; readonly warnings: readonly string[] } {
  const { symbol, side, reference_price: reference } = draft;
  const position = positions.find((one) => one.symbol === symbol);
  const before = heldOf(position);
  const quantity = new Dec(draft.qty ?? new Dec(draft.notional ?? 0).div(worst.price ?? reference));
  const units = unitsOf(symbol);
  const amount = new Dec(worst.cash ?? quantity.times(units).times(reference));
  const sign = side === 'buy' ? 1 : -1;
  const after = before.plus(quantity.times(sign));
  const cash = new Dec(account.cash).minus(amount.times(sign));
  const equity = new Dec(account.equity);
  const weight = equity.gt(0) ? after.abs().times(units).times(reference).div(equity) : undefined;
  const about = draft.qty === undefined ? 'about ' : '';
  // A coin is held in small parts: four decimals of one may be hundreds of dollars.
  const decimals = assetClassOf(symbol) === 'crypto' ? 9 : 4;
  const held = (qty: Decimal) =>
    assetClassOf(symbol) === 'us_equity' ? shares(qty.toFixed()) : quantityWords(symbol, qty.toFixed());
  const name = printableAscii(quote.name ?? '', LONGEST_NAME, '');
  const shows: Record<string, string> = {
    ...(name === '' || optionOf(symbol) !== undefined ? {} : { [nameLabel(symbol)]: name }),
    Price: `${priceWords(symbol, reference)} now${quote.simulated ? ' (simulated)' : ''}`,
    ...optionShows(draft),
    Cash: `${dollars(account.cash)} now, ${dollars(cash.toFixed(2))} after`,
    Position: `${held(before)} now, ${about}${held(after.toDecimalPlaces(decimals))} after${
      weight === undefined ? '' : `, ${percent(weight.toFixed(3))} of the account`
    }`,
  };
  const closed = market.is_open
    ? []
    : [`The market is closed: this waits until it opens, ${inNewYork(market.next_open)}.`];
  return { shows, warnings: [...warningsOf(draft, { amount, after, before, equity }), ...closed] };
}

/** Less than nothing of what is sold short. */
function heldOf(position: Position | undefined): Decimal {
  return new Dec(position?.qty ?? 0).abs().times(position?.side === 'short' ? -1 : 1);
}

/** What the name is one of. */
const nameLabel = (symbol: string) => (assetClassOf(symbol) === 'crypto' ? 'Coin' : 'Company');

/** Of an option: which contract it is, and what that is in dollars. */
function optionShows(draft: OrderDraft): Record<string, string> {
  const { symbol, limit_price, reference_price } = draft;
  if (optionOf(symbol) === undefined) return {};
  const premium = limit_price ?? reference_price;
  const each = new Dec(premium).times(unitsOf(symbol)).toFixed(2);
  return {
    Contract: `${contractWords(symbol)}, for ${unitsOf(symbol)} shares`,
    Premium: `${sharePrice(premium, ticksOf(symbol))} a share, ${dollars(each)} a contract`,
  };
}

/** `Mon 2026-11-30 09:30 in New York`: where the phone is, nobody here knows. */
function inNewYork(at: string): string {
  const [date = '', time = ''] = newYorkTimestamp(Date.parse(at)).split('T');
  return `${WEEKDAYS[weekday(date)]} ${date} ${time.slice(0, 5)} in New York`;
}

function warningsOf(
  draft: OrderDraft,
  { amount, after, before, equity }: Record<'amount' | 'after' | 'before' | 'equity', Decimal>,
): string[] {
  const { side, reference_price: reference, symbol, position_intent } = draft;
  const warnings = farLimit(draft);
  const warn = (isSo: boolean, text: () => string) => {
    if (isSo) warnings.push(text());
  };
  if (side === 'buy' && equity.gt(0)) {
    const weight = after.times(unitsOf(symbol)).times(reference).div(equity);
    const part = amount.div(equity);
    warn(part.gt(LARGE_PART), () => `This is ${percent(part.toFixed(2))} of the account in one order.`);
    warn(weight.gt(CONCENTRATED), () => `${symbol} will be ${percent(weight.toFixed(2))} of the account.`);
  }
  if (side === 'sell') {
    const opens = position_intent === 'sell_to_open';
    const isOdd = before.gte(1) && after.gt(0) && after.lt(1);
    const left = () => shares(after.toDecimalPlaces(4).toFixed());
    warn(after.lt(0) && !opens, () => `It sells more than is held: ${shares(before.toFixed())} ${symbol}.`);
    warn(before.gt(0) && after.eq(0), () => `It sells all the ${symbol} there is.`);
    warn(
      isOdd && assetClassOf(symbol) === 'us_equity',
      () => `It leaves an odd lot of less than one share: ${left()} ${symbol}.`,
    );
  }
  return warnings;
}

function farLimit({ symbol, limit_price: limit, stop_price: stop, reference_price }: OrderDraft): string[] {
  // A stop's limit counts from the stop: it is no price until that is reached, however far off that is.
  const around = stop ?? reference_price;
  const far = limit === undefined ? undefined : beyond(limit, { around, fraction: FAR_LIMIT });
  if (limit === undefined || far === undefined) return [];
  const distance = percent(new Dec(limit).div(around).minus(1).abs().toFixed(2));
  const from = stop === undefined ? 'the price now' : 'its stop';
  return [`The limit is ${distance} ${far} ${from} (${sharePrice(around, ticksOf(symbol))}).`];
}

/** What the order would trade at now, in dollars a share or a coin, as brokers write it; zero where there is no price. */
export function referencePrice(side: OrderRequest['side'], quote: Quote): string {
  return price(priceNow(side, quote) ?? quote.last, ticksOf(quote.symbol));
}

/**
 * Whether the account is the one meant and has what the order takes: what spares the person an approval that could not
 * be carried out. The broker checks again; this is no fence.
 * @param environment what the proposer takes the account for, where they said so
 * @throws {Refusal} 403 `environment_mismatch`, 422 `insufficient_funds`
 */
export function requireMeans(
  order: OrderRequest,
  world: { readonly account: Account; readonly quote: Quote; readonly positions: readonly Position[] },
  environment: Environment | undefined,
): void {
  const { account, quote, positions } = world;
  if (environment !== undefined && environment !== account.environment) {
    throw new Refusal(
      403,
      'environment_mismatch',
      `the proposal is for a ${environment} account, and this gateway trades on a ${account.environment} account`,
      { hint: `Say ${account.environment} if that is what you want.`, fields: ['environment'] },
    );
  }
  const reference = referencePrice(order.side, quote);
  if (order.side === 'buy') requireBuyingPower(order, account, reference);
  // What an option that is sold has behind it is a matter of the rules, which have a reason for each case.
  else if (assetClassOf(order.symbol) !== 'us_option') requireHolding(order, positions, reference);
}

/** Nothing is lent on options or coins. */
function buyingPower(symbol: string, { buying_power, options_buying_power, cash }: Account): string {
  switch (assetClassOf(symbol)) {
    case 'us_equity':
      return buying_power;
    case 'us_option':
      return options_buying_power ?? Dec.min(buying_power, cash).toFixed();
    case 'crypto':
      return Dec.min(buying_power, cash).toFixed();
  }
}

function requireBuyingPower(order: OrderRequest, account: Account, reference: string): void {
  const share = order.limit_price ?? order.stop_price ?? reference;
  const cost = new Dec(order.notional ?? new Dec(order.qty ?? 0).times(share).times(unitsOf(order.symbol)));
  const power = buyingPower(order.symbol, account);
  if (cost.lte(power)) return;
  throw new Refusal(
    422,
    'insufficient_funds',
    `the order would cost about ${dollars(cost.toFixed(2))}, the buying power is ${dollars(power)}`,
    {
      hint: 'Ask for less, or free some buying power first.',
      members: { limit: power, value: cost.toFixed(2) },
    },
  );
}

/** Nothing is sold short: a sell takes no more than what is held and not already on sale. */
function requireHolding(order: OrderRequest, positions: readonly Position[], reference: string): void {
  const { symbol } = order;
  const held = positions.find((position) => position.symbol === symbol && position.side === 'long');
  const available = new Dec(held?.qty_available ?? 0);
  const wanted = order.qty === undefined ? new Dec(order.notional ?? 0).div(reference) : new Dec(order.qty);
  if (wanted.lte(available)) return;
  const onSale = new Dec(held?.qty ?? 0).minus(available);
  const state =
    held === undefined
      ? `you hold no ${symbol}`
      : `you hold ${held.qty} ${symbol}${onSale.gt(0) ? `, ${onSale.toFixed()} of them on sale already` : ''}`;
  throw new Refusal(422, 'insufficient_funds', `${state}: there is not that much to sell`, {
    hint: 'Sell at most what you hold; trade-agent does not sell short.',
    members: { limit: available.toFixed(), value: wanted.toFixed() },
  });
}
