import { z } from 'zod';
import { TradeAgentError } from '../errors/errors.ts';
import { PROPOSE_ORDERS_SCOPE } from '../oauth/scopes.ts';
import { symbolAssetClass } from '../trading/asset-class.ts';
import { Dec, positiveDecimalString, toPlain } from '../trading/decimal.ts';
import { checkOrder, normalizeOrder, type OrderRequest, orderRequestSchema, symbolSchema } from '../trading/order.ts';
import { withOrderDefaults } from '../trading/order-defaults.ts';
import { describePositionFraction, sharesForFraction } from '../trading/portfolio/allocation.ts';
import { accountArgument } from './account-argument.ts';
import { normalizeArguments } from './exact-numbers.ts';
import type { GatewayClient } from './gateway/gateway-client.ts';
import type { ProposalTool } from './tool.ts';

const closingSchema = z.lazy(() =>
  z.strictObject({
    account: accountArgument,
    symbol: symbolSchema.describe('The ticker symbol of a position'),
    qty: positiveDecimalString.optional().describe('Shares, at most the number held'),
    fraction: positiveDecimalString
      .optional()
      .describe('Fraction of the position: "0.5" is half. The whole position if neither qty nor fraction is given'),
    limit_price: positiveDecimalString.optional().describe('Dollars per share or coin; a market order if omitted'),
  }),
);

/**
 * Proposes an order that closes a position. Like {@link placeOrder}, it can't trade. The side and quantity come from
 * the gateway's positions, not from a model.
 */
export const closePosition: ProposalTool<typeof closingSchema> = {
  name: 'close_position',
  title: 'Propose to close a position',
  description:
    'Proposes to close all or part of a position. The number of shares, coins or contracts comes from the account. The person approves or denies the order on their phone; nothing is traded before that.',
  schema: closingSchema,
  scopes: [PROPOSE_ORDERS_SCOPE, 'portfolio:read'],
  risk: 'trade',
};

export interface ClosingOrder {
  readonly order: OrderRequest;
  /** The fields that were computed from the position, each with the name of the rule that computed it. */
  readonly computed: Readonly<Record<string, string>>;
  readonly held: { readonly symbol: string; readonly qty: string; readonly qty_available: string };
}

/**
 * Reads the position and returns the order that closes it.
 * @throws {TradeAgentError} `invalid_order` if there is no such position; the gateway's errors
 */
export async function readClosingOrder(
  args: Record<string, unknown>,
  gateway: Pick<GatewayClient, 'positions'>,
): Promise<ClosingOrder> {
  const { symbol, qty: asked, fraction, limit_price } = readClosing(args);
  const position = (await gateway.positions()).find((one) => one.symbol === symbol);
  if (position === undefined) throw invalidOrder(`you hold no ${symbol}`, 'symbol');
  // Brokers report short quantities with or without a minus sign.
  const held = {
    symbol,
    qty: absoluteQuantity(position.qty),
    qty_available: absoluteQuantity(position.qty_available),
  };
  const qty = asked ?? sharesForFraction(fraction ?? '1', held);
  if (new Dec(held.qty_available).isZero()) {
    throw invalidOrder(`all of your ${symbol} is already in open orders`, 'symbol');
  }
  if (new Dec(qty).isZero())
    throw invalidOrder(`that fraction of your ${symbol} is too small for an order`, 'fraction');
  if (new Dec(qty).gt(held.qty_available)) {
    throw invalidOrder(`only ${toPlain(held.qty_available)} ${symbol} can be closed`, asked ? 'qty' : 'fraction');
  }
  const side = position.side === 'short' ? 'buy' : 'sell';
  const isOption = symbolAssetClass(symbol) === 'us_option';
  const order = normalizeOrder(
    orderRequestSchema.parse(
      withOrderDefaults({
        symbol,
        side,
        qty,
        ...(limit_price === undefined ? { type: 'market' } : { type: 'limit', limit_price }),
        ...(isOption ? { position_intent: `${side}_to_close` } : {}),
      }),
    ),
  );
  checkOrder(order);
  return {
    order,
    computed: {
      side: position.side === 'short' ? 'the position is short' : 'the position is long',
      ...(isOption ? { position_intent: 'it closes a position' } : {}),
      // A quantity or fraction that the model chose does not count as computed.
      ...(asked === undefined && fraction === undefined ? { qty: describePositionFraction('1') } : {}),
    },
    held,
  };
}

function readClosing(args: Record<string, unknown>): z.output<typeof closingSchema> {
  const parsed = closingSchema.safeParse(normalizeArguments(args));
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw invalidOrder(`${issue?.path.join('.') || 'arguments'}: ${issue?.message}`, String(issue?.path[0] ?? ''));
  }
  const { qty, fraction } = parsed.data;
  if (qty !== undefined && fraction !== undefined) throw invalidOrder('give either qty or fraction', 'qty');
  if (fraction !== undefined && new Dec(fraction).gt(1)) {
    throw invalidOrder('fraction is more than the whole position', 'fraction');
  }
  return parsed.data;
}

function invalidOrder(message: string, field: string): TradeAgentError {
  return new TradeAgentError('invalid_order', message, {
    hint: 'Check the positions with get_portfolio and try again.',
    details: { field },
  });
}

const absoluteQuantity = (qty: string) => toPlain(new Dec(qty).abs());
