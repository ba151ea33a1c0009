import type Database from 'better-sqlite3-multiple-ciphers';
import type { Ledger } from '../../../store/sandbox/ledger.ts';
import type { OrderRecord } from '../../../store/sandbox/records.ts';
import { Dec, toPlain } from '../../../trading/decimal.ts';
import { newYorkDate } from '../../../trading/new-york-time.ts';
import { contractExpiresAt, findOptionContract, type ListedContract } from '../../instruments/option-contracts.ts';
import type { Market } from '../../market/market.ts';
import type { AccountSettingsStore } from '../books/account-settings.ts';
import { notFoundError, notPermittedError } from '../books/broker-error.ts';
import { createEntry } from '../books/entries.ts';
import { stableUuid } from '../books/tradable-asset.ts';
import { heldQuantity } from './account-check.ts';
import { lockedShares, reservedShares, securedCash } from './buying-power.ts';
import { accountMargin, marginMultiplier, maySellShort } from './margin.ts';

interface ExerciseOptions {
  readonly ledger: Ledger;
  readonly market: Market;
  readonly settings: Pick<AccountSettingsStore, 'of'>;
}

const SHARES = 100;
/** OCC automatically exercises contracts in the money by at least this amount, in dollars a share (Rule 805). */
const AUTO_EXERCISE = '0.01';

function intrinsicValue(market: Market, { underlying, right, strike }: ListedContract, at: number): Dec {
  const spot = new Dec(market.quote(underlying, at)?.last ?? 0);
  return right === 'call' ? spot.minus(strike) : new Dec(strike).minus(spot);
}

/**
 * Posts the conversion of contracts into shares at the strike price: `OPEXC` for a holder's contracts or `OPASN` for a
 * writer's, and `OPTRD` for the shares. Call inside a transaction.
 * @param contracts negative for a short position
 */
function exercise(ledger: Ledger, accountId: string, contract: ListedContract, contracts: Dec, at: number): void {
  const { symbol, underlying, right, strike } = contract;
  const booked = {
    account_id: accountId,
    date: newYorkDate(at - 1),
    at,
    group_id: stableUuid(`exercise:${accountId}:${symbol}:${at}`),
  };
  const type = contracts.isPositive() ? 'OPEXC' : 'OPASN';
  ledger.enter(createEntry({ ...booked, type, symbol, qty: toPlain(contracts.neg()) }));
  const shares = contracts.times(right === 'call' ? SHARES : -SHARES);
  const amount = shares.times(strike).neg();
  ledger.enter(
    createEntry({
      ...booked,
      type: 'OPTRD',
      symbol: underlying,
      qty: toPlain(shares),
      ...sharesCost(heldQuantity(underlying, ledger.positions(accountId)), shares, strike),
      amount: amount.toFixed(2),
      per_share: strike,
    }),
  );
}

/**
 * Returns the cost, at the strike price, of shares that an exercise adds to a position. Shares that the exercise
 * removes have no cost here, because they reduce the position's cost proportionally.
 */
function sharesCost(held: Dec, shares: Dec, strike: string) {
  const adds = held.isZero() || held.isNegative() === shares.isNegative();
  return adds ? { cost: shares.times(strike).toFixed(2) } : {};
}

function canExercise(
  { ledger, market, settings }: ExerciseOptions,
  accountId: string,
  { underlying, right, strike }: ListedContract,
  contracts: Dec,
): boolean {
  const cash = ledger.account(accountId)?.cash ?? '0';
  const positions = ledger.positions(accountId);
  const margin = accountMargin(cash, positions, market);
  if (right === 'put') {
    const free = heldQuantity(underlying, positions).minus(lockedShares([], underlying, positions));
    return free.gte(contracts.times(SHARES)) || maySellShort(settings.of(accountId), margin);
  }
  const lent = marginMultiplier(settings.of(accountId), margin) > 1;
  return lent || contracts.times(SHARES).times(strike).plus(securedCash(positions)).lte(cash);
}

/**
 * Ends an expired contract. A contract in the money is exercised or assigned or, if the account can't exercise it, sold
 * at its value, as Alpaca does in the last hour. Any other contract expires worthless. Call inside a transaction.
 */
function expire(options: ExerciseOptions, accountId: string, contract: ListedContract): void {
  const { ledger, market } = options;
  const { symbol } = contract;
  const contracts = heldQuantity(symbol, ledger.positions(accountId));
  const at = contractExpiresAt(market, contract);
  const value = intrinsicValue(market, contract, at);
  if (value.lt(AUTO_EXERCISE)) {
    const gone = { account_id: accountId, type: 'OPEXP', date: contract.expiry, at };
    ledger.enter(createEntry({ ...gone, symbol, qty: toPlain(contracts.neg()) }));
    return;
  }
  if (contracts.isNegative() || canExercise(options, accountId, contract, contracts)) {
    exercise(ledger, accountId, contract, contracts, at);
    return;
  }
  const sale = { account_id: accountId, order_id: null, symbol, side: 'sell' as const, at };
  ledger.book({ ...sale, qty: toPlain(contracts), price: value.toFixed(2) });
}

/**
 * Exercises held contracts that are not in open sell orders. Call inside a transaction.
 * @throws {BrokerError} 404, 403 (Alpaca, "Options trading overview")
 */
export function exerciseHeldContracts(
  options: ExerciseOptions,
  accountId: string,
  symbol: string,
  open: readonly OrderRecord[],
): void {
  const { ledger, market } = options;
  const contract = findOptionContract(market, symbol);
  const held = heldQuantity(symbol, ledger.positions(accountId));
  if (contract === undefined || held.lte(0)) throw notFoundError(`long position not found: ${symbol}`);
  const free = held.minus(reservedShares(open, symbol, '0'));
  if (free.lte(0)) throw notPermittedError('no qty available to exercise');
  const now = market.now();
  if (intrinsicValue(market, contract, now).lte(0)) {
    throw notPermittedError(
      'you are attempting to exercise an out of the money option contract, please contact support@alpaca.markets to complete this request',
    );
  }
  if (!canExercise(options, accountId, contract, free)) {
    const required = free.times(100).times(contract.strike);
    const cash = toPlain(new Dec(ledger.account(accountId)?.cash ?? 0));
    throw contract.right === 'call'
      ? notPermittedError(`insufficient cash available (required: ${toPlain(required)}, available: ${cash})`)
      : notPermittedError(`insufficient underlying qty available for deliverable: ${contract.underlying}`);
  }
  exercise(ledger, accountId, contract, free, now);
}

interface ExpirationsOptions extends ExerciseOptions {
  readonly database: Database.Database;
}

/** Returns a function that ends expired contracts. It is fast if no session has closed since its last call. */
export function createExpirationSweep(options: ExpirationsOptions): () => void {
  const { database, ledger, market } = options;
  let quietUntil = Number.NEGATIVE_INFINITY;
  const expireAll = database.transaction((now: number) => {
    for (const { id } of ledger.accounts()) {
      for (const { symbol } of ledger.positions(id)) {
        const contract = findOptionContract(market, symbol);
        if (contract !== undefined && now >= contractExpiresAt(market, contract)) expire(options, id, contract);
      }
    }
  });
  return () => {
    const now = market.now();
    if (now < quietUntil) return;
    expireAll.immediate(now);
    quietUntil = market.nextClose(now);
  };
}
