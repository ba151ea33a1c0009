import { printableAscii } from '../../../text/invisible.ts';
import { formatDollarAmount, formatPercent, formatSharePrice, formatShares } from '../../../trading/amounts.ts';
import {
  contractMultiplier,
  formatQuantity,
  formatUnitPrice,
  parseOptionSymbol,
  symbolAssetClass,
  symbolTicks,
} from '../../../trading/asset-class.ts';
import { describeOptionSymbol } from '../../../trading/contract-words.ts';
import { formatNewYorkDateTime } from '../../../trading/date-words.ts';
import { Dec, formatPrice } from '../../../trading/decimal.ts';
import { HttpProblem } from '../../../trading/http-problem.ts';
import type { Environment, OrderDraft, OrderRequest } from '../../../trading/order.ts';
import { currentPrice, sideOutsideBand } from '../../../trading/price-drift.ts';
import type { WorstCase } from '../../../trading/proposal.ts';
import type { Account, MarketClock, Position, Quote } from '../../../trading/views.ts';

type Decimal = InstanceType<typeof Dec>;

/** A limit price that differs from the current price by more than this fraction is probably a mistake. */
const FAR_LIMIT_FRACTION = '0.10';
const LARGE_FRACTION = '0.25';
/** A position above this fraction of the account gets a warning: the account then depends on one security. */
const CONCENTRATED_FRACTION = '0.40';
/** Maximum length of a company's name. The broker supplies the name, so it is untrusted and must be cleaned. */
const MAX_NAME_LENGTH = 60;

/**
 * Returns the order's effects on the account, and warnings about the order, for the phone. Amounts are the worst case
 * or, if nothing bounds the worst case, are calculated at the reference price.
 */
export function orderEffects(
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
  const before = heldQuantity(position);
  const quantity = new Dec(draft.qty ?? new Dec(draft.notional ?? 0).div(worst.price ?? reference));
  const units = contractMultiplier(symbol);
  const amount = new Dec(worst.cash ?? quantity.times(units).times(reference));
  const sign = side === 'buy' ? 1 : -1;
  const after = before.plus(quantity.times(sign));
  const cash = new Dec(account.cash).minus(amount.times(sign));
  const equity = new Dec(account.equity);
  const weight = equity.gt(0) ? after.abs().times(units).times(reference).div(equity) : undefined;
  const about = draft.qty === undefined ? 'about ' : '';
  // Coins are held in small fractions: 0.0001 of a coin may be worth several dollars.
  const decimals = symbolAssetClass(symbol) === 'crypto' ? 9 : 4;
  const held = (qty: Decimal) =>
    symbolAssetClass(symbol) === 'us_equity' ? formatShares(qty.toFixed()) : formatQuantity(symbol, qty.toFixed());
  const name = printableAscii(quote.name ?? '', MAX_NAME_LENGTH, '');
  const shows: Record<string, string> = {
    ...(name === '' || parseOptionSymbol(symbol) !== undefined ? {} : { [nameLabel(symbol)]: name }),
    Price: `${formatUnitPrice(symbol, reference)} now${quote.simulated ? ' (simulated)' : ''}`,
    ...displayedOption(draft),
    Cash: `${formatDollarAmount(account.cash)} now, ${formatDollarAmount(cash.toFixed(2))} after`,
    Position: `${held(before)} now, ${about}${held(after.toDecimalPlaces(decimals))} after${
      weight === undefined ? '' : `, ${formatPercent(weight.toFixed(3))} of the account`
    }`,
  };
  const closed = market.is_open
    ? []
    : [`The market is closed. This order waits until it opens, ${formatNewYorkDateTime(market.next_open)}.`];
  return { shows, warnings: [...orderWarnings(draft, { amount, after, before, equity }), ...closed] };
}

function heldQuantity(position: Position | undefined): Decimal {
  return new Dec(position?.qty ?? 0).abs().times(position?.side === 'short' ? -1 : 1);
}

const nameLabel = (symbol: string) => (symbolAssetClass(symbol) === 'crypto' ? 'Coin' : 'Company');

/** Returns an option contract and its premium, for the phone; empty for other securities. */
function displayedOption(draft: OrderDraft): Record<string, string> {
  const { symbol, limit_price, reference_price } = draft;
  if (parseOptionSymbol(symbol) === undefined) return {};
  const premium = limit_price ?? reference_price;
  const each = new Dec(premium).times(contractMultiplier(symbol)).toFixed(2);
  return {
    Contract: `${describeOptionSymbol(symbol)}, for ${contractMultiplier(symbol)} shares`,
    Premium: `${formatSharePrice(premium, symbolTicks(symbol))} a share, ${formatDollarAmount(each)} a contract`,
  };
}

/** Returns warnings about the order's size compared with the account and the position. */
function orderWarnings(
  draft: OrderDraft,
  { amount, after, before, equity }: Record<'amount' | 'after' | 'before' | 'equity', Decimal>,
): string[] {
  const { side, reference_price: reference, symbol, position_intent } = draft;
  const warnings = farLimitWarning(draft);
  const warn = (isSo: boolean, text: () => string) => {
    if (isSo) warnings.push(text());
  };
  if (side === 'buy' && equity.gt(0)) {
    const weight = after.times(contractMultiplier(symbol)).times(reference).div(equity);
    const part = amount.div(equity);
    warn(part.gt(LARGE_FRACTION), () => `This is ${formatPercent(part.toFixed(2))} of the account in one order.`);
    warn(
      weight.gt(CONCENTRATED_FRACTION),
      () => `${symbol} will be ${formatPercent(weight.toFixed(2))} of the account.`,
    );
  }
  if (side === 'sell') {
    const opens = position_intent === 'sell_to_open';
    const isOdd = before.gte(1) && after.gt(0) && after.lt(1);
    const left = () => formatShares(after.toDecimalPlaces(4).toFixed());
    warn(after.lt(0) && !opens, () => `This sells more than you hold (${formatShares(before.toFixed())} ${symbol}).`);
    warn(before.gt(0) && after.eq(0), () => `This sells your entire ${symbol} position.`);
    warn(
      isOdd && symbolAssetClass(symbol) === 'us_equity',
      () => `This leaves less than one share: ${left()} ${symbol}.`,
    );
  }
  return warnings;
}

function farLimitWarning({ symbol, limit_price: limit, stop_price: stop, reference_price }: OrderDraft): string[] {
  // The limit of a stop order is compared with the stop price, because the limit takes effect only once the stop price
  // is reached.
  const around = stop ?? reference_price;
  const far = limit === undefined ? undefined : sideOutsideBand(limit, { around, fraction: FAR_LIMIT_FRACTION });
  if (limit === undefined || far === undefined) return [];
  const distance = formatPercent(new Dec(limit).div(around).minus(1).abs().toFixed(2));
  const from = stop === undefined ? 'the current price' : 'its stop price';
  return [`The limit is ${distance} ${far} ${from} (${formatSharePrice(around, symbolTicks(symbol))}).`];
}

/** Returns the current price, in dollars per share or coin, in the broker's format; zero if unknown. */
export function referencePrice(side: OrderRequest['side'], quote: Quote): string {
  return formatPrice(currentPrice(side, quote) ?? quote.last, symbolTicks(quote.symbol));
}

/**
 * Requires that the account is the intended one and has what the order needs, so that nobody approves an order that
 * can't be executed. The broker checks again.
 * @param environment the environment that the proposer expects, if specified
 * @throws {HttpProblem} 403 `environment_mismatch`, 422 `insufficient_funds`
 */
export function requireSuitableAccount(
  order: OrderRequest,
  world: { readonly account: Account; readonly quote: Quote; readonly positions: readonly Position[] },
  environment: Environment | undefined,
): void {
  const { account, quote, positions } = world;
  if (environment !== undefined && environment !== account.environment) {
    throw new HttpProblem(
      403,
      'environment_mismatch',
      `the proposal is for a ${environment} account, but this gateway trades on a ${account.environment} account`,
      { hint: `Use ${account.environment} if that is what you want.`, fields: ['environment'] },
    );
  }
  const reference = referencePrice(order.side, quote);
  if (order.side === 'buy') requireBuyingPower(order, account, reference);
  // Sales of option contracts are checked by the rules, which can explain why a written option is not covered.
  else if (symbolAssetClass(order.symbol) !== 'us_option') requireHolding(order, positions, reference);
}

/** Returns the buying power for this symbol. Options and coins can't be bought on margin. */
function buyingPower(symbol: string, { buying_power, options_buying_power, cash }: Account): string {
  switch (symbolAssetClass(symbol)) {
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
  const cost = new Dec(order.notional ?? new Dec(order.qty ?? 0).times(share).times(contractMultiplier(order.symbol)));
  const power = buyingPower(order.symbol, account);
  if (cost.lte(power)) return;
  throw new HttpProblem(
    422,
    'insufficient_funds',
    `the order would cost about ${formatDollarAmount(cost.toFixed(2))}, but the buying power is ${formatDollarAmount(power)}`,
    {
      hint: 'Propose a smaller order, or free up some buying power first.',
      members: { limit: power, value: cost.toFixed(2) },
    },
  );
}

/** Requires that the account holds the shares to sell, not counting shares in open sell orders. */
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
      : `you hold ${held.qty} ${symbol}${onSale.gt(0) ? `, ${onSale.toFixed()} of them in open sell orders` : ''}`;
  throw new HttpProblem(422, 'insufficient_funds', `not enough to sell: ${state}`, {
    hint: 'Sell no more than you hold. trade-agent does not sell short.',
    members: { limit: available.toFixed(), value: wanted.toFixed() },
  });
}
