import { z } from 'zod';
import { TradeAgentError } from '../errors/errors.ts';
import type { Activity } from '../trading/activity.ts';
import { formatDollarAmount, formatShares } from '../trading/amounts.ts';
import { Dec, isPositive, positiveDecimalString, toPlain } from '../trading/decimal.ts';
import { symbolSchema } from '../trading/order.ts';
import { findRecentLosses, findWashSale, type WashSale } from '../trading/portfolio/wash-sale.ts';
import type { Position } from '../trading/views.ts';
import { readOpenOrders } from './order-pages.ts';
import { defineTool, readLotInputs, requireGateway } from './tool.ts';

/** Maximum number of trades listed. The rest are only counted. */
const MAX_TRADES = 20;

/** Facts that can't be derived from the trades of one account. */
const notKnown = [
  'purchases in other accounts, including an IRA or a spouse’s',
  'substantially identical securities: other share classes, funds of the same index, options',
  'future purchases, each of which counts until the window ends',
] as const;

export const checkWashSale = defineTool({
  name: 'check_wash_sale',
  title: 'Check for a wash sale',
  description:
    'Checks whether selling a symbol now would realize a loss within 30 days of a purchase of the same symbol, based on this account’s own trades (first in, first out), and which losses of the last 30 days a purchase now would turn into wash sales. Other accounts and substantially identical securities are not considered.',
  schema: z.lazy(() =>
    z.strictObject({
      symbol: symbolSchema.describe('A ticker symbol such as KO'),
      qty: positiveDecimalString.optional().describe('Shares to sell; all shares held if omitted'),
      price: positiveDecimalString.optional().describe('Dollars per share; the position’s price if omitted'),
    }),
  ),
  scopes: ['market:read', 'portfolio:read', 'orders:read'],
  risk: 'read',
  async execute(context, { symbol, qty, price }) {
    const gateway = requireGateway(context);
    const [{ account, positions, now, activities }, orders] = await Promise.all([
      readLotInputs(gateway),
      readOpenOrders(gateway, symbol),
    ]);
    const held = positions.find((one) => one.symbol === symbol && one.side === 'long');
    const sold = held === undefined ? undefined : hypotheticalSale(held, { qty, price }, activities, now);
    const verdict = sold === undefined ? 'not_held' : toVerdict(sold);
    const earlier = findRecentLosses(symbol, activities, now);
    const buys = orders.filter((order) => order.symbol === symbol && order.side === 'buy');
    return {
      summary: `${symbol}: ${verdictTexts[verdict]}${sold !== undefined && isPositive(sold.affectedQty) ? `, ${formatDollarAmount(sold.affectedLoss.toFixed(2))} of loss on ${formatShares(toPlain(sold.affectedQty))}` : ''}`,
      content: JSON.stringify({
        symbol,
        verdict,
        sale: sold === undefined ? null : saleView(sold),
        open_purchases: buys.slice(0, MAX_TRADES).map(({ id, qty, notional }) => ({ order_id: id, qty, notional })),
        ...(buys.length > MAX_TRADES ? { open_purchases_left_out: buys.length - MAX_TRADES } : {}),
        earlier_losses: earlier.slice(0, MAX_TRADES).map(saleView),
        ...(earlier.length > MAX_TRADES ? { earlier_left_out: earlier.length - MAX_TRADES } : {}),
        not_known: notKnown,
        simulated: account.simulated,
      }),
    };
  },
});

/** Returns the sale to check. @throws {TradeAgentError} `usage` for a quantity that exceeds the position */
function hypotheticalSale(
  held: Position,
  { qty, price }: { readonly qty?: string | undefined; readonly price?: string | undefined },
  activities: readonly Activity[],
  now: number,
): WashSale {
  const { symbol } = held;
  if (qty !== undefined && new Dec(qty).gt(held.qty)) {
    throw new TradeAgentError('usage', `you hold ${formatShares(held.qty)} ${symbol}, not ${formatShares(qty)}`, {
      hint: 'Ask for fewer shares.',
    });
  }
  const at = { qty: new Dec(qty ?? held.qty), price: new Dec(price ?? held.current_price) };
  return findWashSale({ symbol, at: now, ...at }, activities);
}

type Verdict = 'not_held' | 'wash_sale' | 'partly_wash_sale' | 'cost_unknown' | 'no_loss' | 'no_purchase_known';

const verdictTexts: Readonly<Record<Verdict, string>> = {
  not_held: 'no position to sell',
  wash_sale: 'the loss would be a wash sale',
  partly_wash_sale: 'part of the loss would be a wash sale',
  cost_unknown: 'the cost of the shares is not known',
  no_loss: 'no loss at this price',
  no_purchase_known: 'a loss, with no known purchase within 30 days',
};

function toVerdict({ affectedQty, lossQty, unknown }: WashSale): Verdict {
  if (isPositive(affectedQty)) return affectedQty.eq(lossQty) ? 'wash_sale' : 'partly_wash_sale';
  if (isPositive(unknown)) return 'cost_unknown';
  return isPositive(lossQty) ? 'no_purchase_known' : 'no_loss';
}

function saleView(sold: WashSale) {
  const { purchases } = sold;
  return {
    date: sold.date,
    qty: toPlain(sold.qty),
    price: toPlain(sold.price),
    gain: sold.gain.toFixed(2),
    loss: sold.loss.toFixed(2),
    loss_qty: toPlain(sold.lossQty),
    unknown_cost_qty: toPlain(sold.unknown),
    window: { begins: sold.begins, ends: sold.ends },
    purchases: purchases
      .slice(0, MAX_TRADES)
      .map(({ date, qty, price }) => ({ date, qty: toPlain(qty), price: toPlain(price) })),
    ...(purchases.length > MAX_TRADES ? { purchases_left_out: purchases.length - MAX_TRADES } : {}),
    affected_qty: toPlain(sold.affectedQty),
    affected_loss: sold.affectedLoss.toFixed(2),
    ...(sold.unclear ? { unclear: 'there was a split, a merger or a transfer within the window' } : {}),
  };
}
