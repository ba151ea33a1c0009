import type { ResolvedProfile } from '../auth/profile.ts';
import type { GatewayClient } from '../tools/gateway-client.ts';
import { dollars } from '../trading/amounts.ts';
import { utcSeconds } from '../trading/clock.ts';
import { Dec, price } from '../trading/decimal.ts';
import { TradeAgentError } from '../trading/errors.ts';
import { normalizeOrder, type OrderDraft, type OrderRequest } from '../trading/order.ts';
import type { Account, Position, Quote } from '../trading/views.ts';

/**
 * Orders that would trade at whatever price comes: the gateway takes them only while the market is open, but for those
 * that name the auction they wait for.
 */
function needsOpenMarket({ type, time_in_force }: OrderRequest): boolean {
  return ['market', 'stop', 'trailing_stop'].includes(type) && !['opg', 'cls'].includes(time_in_force);
}

/**
 * Completes a request to the order the person will approve, after the checks that spare them an approval which could
 * not be carried out. The gateway and the broker check again; these are no fence.
 * @throws {TradeAgentError} `unknown_symbol`, `market_closed`, `insufficient_funds`, `blocked`, `invalid_config`, and
 * what the gateway's reads throw
 */
export async function draftOrder(
  request: OrderRequest,
  gateway: GatewayClient,
  options: { profile: ResolvedProfile; clientOrderId: string; now: number },
): Promise<OrderDraft> {
  const { profile } = options;
  const [account, quotes, market, positions] = await Promise.all([
    gateway.account(),
    gateway.quotes([request.symbol]),
    gateway.clock(),
    request.side === 'sell' ? gateway.positions() : undefined,
  ]);
  if (account.environment !== profile.environment) {
    throw new TradeAgentError(
      'invalid_config',
      `the profile says ${profile.environment}, but the gateway trades on a ${account.environment} account`,
      {
        hint: `Set environment: ${account.environment} for profile "${profile.name}" if that is what you want.`,
      },
    );
  }
  if (account.trading_blocked) {
    throw new TradeAgentError('blocked', 'the broker has blocked trading on this account', {
      hint: 'Ask the broker why.',
    });
  }
  if (!market.is_open && needsOpenMarket(request)) {
    throw new TradeAgentError('market_closed', `the market is closed; it opens at ${market.next_open}`, {
      hint: 'Place a limit order, which waits for the opening, or ask again then.',
      details: { next_open: market.next_open },
    });
  }
  const quote = quotes[0] as Quote;
  const reference = referencePrice(request.side, quote);
  if (request.side === 'buy') checkBuyingPower(request, account, reference);
  if (positions !== undefined) checkHolding(request, positions, reference);
  return normalizeOrder({
    account: account.account,
    environment: account.environment,
    ...request,
    reference_price: reference,
    max_slippage: profile.max_slippage,
    client_order_id: options.clientOrderId,
    expires_at: utcSeconds(options.now + profile.approval_ttl * 1000),
  });
}

/** What the order would trade at now, in dollars a share: the ask for a buy, the bid for a sell, else the last price. */
export function referencePrice(side: OrderRequest['side'], quote: Quote): string {
  const quoted = side === 'buy' ? quote.ask : quote.bid;
  return price(new Dec(quoted).gt(0) ? quoted : quote.last);
}

/** Whether the price now is further from the approved reference than the order allows. */
export function hasDrifted(draft: OrderDraft, quote: Quote): boolean {
  const now = new Dec(referencePrice(draft.side, quote));
  const reference = new Dec(draft.reference_price);
  return now.minus(reference).abs().gt(reference.times(draft.max_slippage));
}

function checkBuyingPower(request: OrderRequest, account: Account, reference: string): void {
  const share = request.limit_price ?? request.stop_price ?? reference;
  const cost = new Dec(request.notional ?? new Dec(request.qty ?? 0).times(share));
  if (cost.lte(account.buying_power)) return;
  throw new TradeAgentError(
    'insufficient_funds',
    `the order would cost about ${dollars(cost.toFixed(2))}, the buying power is ${dollars(account.buying_power)}`,
    { hint: 'Ask for less, or free some buying power first.', details: { symbol: request.symbol } },
  );
}

/** This agent does not sell short: a sell takes no more than what is held and not already on sale. */
function checkHolding(request: OrderRequest, positions: readonly Position[], reference: string): void {
  const held = positions.find((position) => position.symbol === request.symbol && position.side === 'long');
  const available = new Dec(held?.qty_available ?? 0);
  const wanted =
    request.qty === undefined ? new Dec(request.notional ?? 0).div(reference) : new Dec(request.qty);
  if (wanted.lte(available)) return;
  const onSale = new Dec(held?.qty ?? 0).minus(available);
  const state =
    held === undefined
      ? `you hold no ${request.symbol}`
      : `you hold ${held.qty} ${request.symbol}${onSale.gt(0) ? `, ${onSale.toFixed()} of them on sale already` : ''}`;
  throw new TradeAgentError('insufficient_funds', `${state}: there is not that much to sell`, {
    hint: 'Sell at most what you hold; trade-agent does not sell short.',
    details: { symbol: request.symbol },
  });
}
