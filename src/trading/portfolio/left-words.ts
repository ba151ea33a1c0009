import type { LeftReason } from './rebalance.ts';

const texts: Readonly<Record<LeftReason | 'market_closed', string>> = {
  order_under_way: 'an order for it is under way',
  no_price: 'there is no price of it',
  buy_only: 'it is overweight, and nothing is to be sold',
  below_minimum: 'the order would be too small',
  less_than_a_lot: 'a share costs more than what is missing',
  nothing_to_sell: 'all of it is on sale already',
  market_closed: 'it waits for the market to open',
  awaits_cash: 'there is not enough cash until something is sold',
};

/** Why a drift stays as it is for now; another version's reason as it is. */
export function leftWords(reason: string): string {
  return Object.hasOwn(texts, reason) ? texts[reason as LeftReason] : reason;
}
