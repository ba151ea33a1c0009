import { Dec, plain } from '../../../trading/decimal.ts';
import { contractOf } from '../../instruments/option-contracts.ts';
import { notFound, notPermitted } from '../broker-error.ts';
import { heldShares } from '../buying-power.ts';
import { heldOf } from '../exchange/account-check.ts';
import type { OrderRecord } from '../records.ts';
import { canExercise, type ExerciseOptions, exercise, intrinsicValue } from './exercise.ts';

/**
 * Exercises, by its owner's wish, what is held of a contract and not for sale. Call it inside a transaction.
 * @throws {BrokerError} 404, 403 (Alpaca, "Options trading overview", errors of exercising)
 */
export function exerciseHeld(
  options: ExerciseOptions,
  accountId: string,
  symbol: string,
  open: readonly OrderRecord[],
): void {
  const { ledger, market } = options;
  const contract = contractOf(market, symbol);
  const held = heldOf(symbol, ledger.positions(accountId));
  if (contract === undefined || held.lte(0)) throw notFound(`long position not found: ${symbol}`);
  const free = held.minus(heldShares(open, symbol, '0'));
  if (free.lte(0)) throw notPermitted('no qty available to exercise');
  const now = market.now();
  if (intrinsicValue(market, contract, now).lte(0)) {
    throw notPermitted(
      'you are attempting to exercise an out of the money option contract, please contact support@alpaca.markets to complete this request',
    );
  }
  if (!canExercise(options, accountId, contract, free)) {
    const required = free.times(100).times(contract.strike);
    const cash = plain(new Dec(ledger.account(accountId)?.cash ?? 0));
    throw contract.right === 'call'
      ? notPermitted(`insufficient cash available (required: ${plain(required)}, available: ${cash})`)
      : notPermitted(`insufficient underlying qty available for deliverable: ${contract.underlying}`);
  }
  exercise(ledger, accountId, contract, free, now);
}
