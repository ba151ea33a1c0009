import { assetClassOf, unitsOf } from '../../../trading/asset-class.ts';
import { cents, Dec, plain } from '../../../trading/decimal.ts';
import type { Market } from '../../market/market.ts';
import { newYorkDate } from '../../market/new-york-time.ts';
import type { AccountSettingsStore } from '../account-settings.ts';
import { lockedShares, securedCash } from '../buying-power.ts';
import { entryOf } from '../entries.ts';
import type { Ledger } from '../ledger.ts';
import { marginOf, multiplierOf } from '../margin.ts';
import type { OrderRecord } from '../records.ts';
import { heldOf } from './account-check.ts';

/** Of what is traded in coins, in what is received (Alpaca, "Crypto fees", the first tier of takers). */
export const CRYPTO_FEE = '0.0025';

interface BookingOptions {
  readonly ledger: Ledger;
  readonly market: Market;
  readonly settings: Pick<AccountSettingsStore, 'of'>;
  readonly now: () => number;
}

/**
 * Books the fill of an order, with the fee that coins cost, and on credit where the account has some. Call it inside a
 * transaction.
 * @returns false, with nothing changed, where the account can't carry it
 */
export function bookFill(
  { ledger, market, settings, now }: BookingOptions,
  order: OrderRecord,
  { qty, price }: { qty: string; price: string },
): boolean {
  const { account_id, id: order_id, symbol, side, position_intent } = order;
  const at = now();
  const cash = ledger.account(account_id)?.cash ?? '0';
  const positions = ledger.positions(account_id);
  const margin = marginOf(cash, positions, market);
  const assetClass = assetClassOf(symbol);
  const credit = {
    short: position_intent === 'sell_to_open',
    // A short that is bought back is never in the way of its own ruin.
    overdraft:
      assetClass === 'us_equity' &&
      (position_intent === 'buy_to_close' || multiplierOf(settings.of(account_id), margin) > 1),
  };
  const amount = new Dec(qty).times(price).times(unitsOf(symbol));
  const spared =
    side === 'sell'
      ? heldOf(symbol, positions)
          .minus(lockedShares([], symbol, positions))
          .gte(qty)
      : new Dec(cash).minus(securedCash(positions)).gte(amount);
  // What secures options that were written is nobody's to spend, however the price came to be another than was reckoned.
  if (!spared && !credit.overdraft && !credit.short && position_intent !== 'buy_to_close') return false;
  const booked = ledger.book({ account_id, order_id, symbol, side, qty, price, at }, credit);
  if (!booked || assetClass !== 'crypto') return booked;
  const fee = { account_id, type: 'CFEE', date: newYorkDate(at), at };
  if (side === 'buy') {
    const coins = new Dec(qty).times(CRYPTO_FEE).toDecimalPlaces(9, Dec.ROUND_UP);
    // What the rest has cost is what was paid for all of it.
    ledger.enter(entryOf({ ...fee, symbol, qty: plain(coins.neg()), cost: '0' }));
  } else {
    const dollars = new Dec(cents(new Dec(qty).times(price))).times(CRYPTO_FEE);
    ledger.enter(entryOf({ ...fee, amount: dollars.toDecimalPlaces(2, Dec.ROUND_UP).neg().toFixed(2) }));
  }
  return true;
}
