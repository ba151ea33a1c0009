import { dollars } from '../../../trading/amounts.ts';
import { assetClassOf, ticksOf, unitsOf } from '../../../trading/asset-class.ts';
import { Dec, price } from '../../../trading/decimal.ts';
import type { Environment, OrderRequest } from '../../../trading/order.ts';
import { priceNow } from '../../../trading/price-drift.ts';
import { Refusal } from '../../../trading/refusal.ts';
import type { Account, Position, Quote } from '../../../trading/views.ts';

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
