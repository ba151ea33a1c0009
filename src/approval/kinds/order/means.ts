import { dollars } from '../../../trading/amounts.ts';
import { Dec, price } from '../../../trading/decimal.ts';
import type { Environment, OrderRequest } from '../../../trading/order.ts';
import { priceNow } from '../../../trading/price-drift.ts';
import { Refusal } from '../../../trading/refusal.ts';
import type { Account, Position, Quote } from '../../../trading/views.ts';

/** What the order would trade at now, in dollars a share, as brokers write it; zero where there is no price. */
export function referencePrice(side: OrderRequest['side'], quote: Quote): string {
  return price(priceNow(side, quote) ?? quote.last);
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
  else requireHolding(order, positions, reference);
}

function requireBuyingPower(order: OrderRequest, account: Account, reference: string): void {
  const share = order.limit_price ?? order.stop_price ?? reference;
  const cost = new Dec(order.notional ?? new Dec(order.qty ?? 0).times(share));
  if (cost.lte(account.buying_power)) return;
  throw new Refusal(
    422,
    'insufficient_funds',
    `the order would cost about ${dollars(cost.toFixed(2))}, the buying power is ${dollars(account.buying_power)}`,
    {
      hint: 'Ask for less, or free some buying power first.',
      members: { limit: account.buying_power, value: cost.toFixed(2) },
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
