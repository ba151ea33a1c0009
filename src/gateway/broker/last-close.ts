import { Dec, ZERO } from '../../trading/decimal.ts';
import { newYorkDate } from '../../trading/new-york-time.ts';
import type { Order, OrderLeg } from '../../trading/views.ts';

/** A current holding. `qty` is negative for a short position. */
interface Holding {
  readonly id: string;
  readonly qty: string;
  readonly price: string;
}

/** A trade since the close. `qty` is negative for a sale. */
type TradedSince = Holding;

export interface ClosingPrice {
  /** The number of units in a `qty` of one: 1, or 100 for an option contract. */
  readonly units: string | number | undefined;
  /** The price at the last close; undefined if the broker does not report the price. */
  readonly price: string | undefined;
}

/**
 * Computes the equity at the last close: the current equity, minus the gains since then of positions that were held at
 * the close and of later trades. Deposits don't change these gains, so a deposit can't hide a loss.
 * @returns undefined if a price or unit is unknown, because a guess could hide a loss from `max_day_loss`
 */
export function computeEquityAtLastClose(
  equity: string,
  held: readonly Holding[],
  traded: readonly TradedSince[],
  contracts: ReadonlyMap<string, ClosingPrice>,
): Dec | undefined {
  let made = ZERO;
  for (const id of new Set([...held, ...traded].map((one) => one.id))) {
    const mine = ({ id: other }: Holding) => other === id;
    const since = traded.filter(mine);
    const worth = sumOf(held.filter(mine));
    const qtyThen = quantityOf(held.filter(mine)).minus(quantityOf(since));
    const { units, price } = contracts.get(id) ?? {};
    // A position that was opened today needs no closing price.
    if (units === undefined || (price === undefined && !qtyThen.isZero())) return undefined;
    made = made.plus(
      worth
        .minus(qtyThen.times(price ?? 0))
        .minus(sumOf(since))
        .times(units),
    );
  }
  return new Dec(equity).minus(made);
}

const quantityOf = (rows: readonly Holding[]): Dec => rows.reduce((sum, { qty }) => sum.plus(qty), ZERO);
const sumOf = (rows: readonly Holding[]): Dec =>
  rows.reduce((sum, { qty, price }) => sum.plus(new Dec(qty).times(price)), ZERO);

/** Returns today's trades, including trades of legs; undefined if a fill's contract, side or price is unknown. */
export function findTodaysTrades(
  orders: readonly Order[],
  now: number,
  idOf: (part: OrderLeg) => string | undefined,
): TradedSince[] | undefined {
  const today = newYorkDate(now);
  const filled = orders
    .flatMap((order): readonly OrderLeg[] => order.legs ?? [order])
    .filter(
      ({ filled_qty, filled_at, submitted_at }) =>
        !new Dec(filled_qty).isZero() && newYorkDate(Date.parse(filled_at ?? submitted_at)) === today,
    );
  const traded: TradedSince[] = [];
  for (const part of filled) {
    const { side, filled_qty, filled_avg_price: price } = part;
    const id = idOf(part);
    if (id === undefined || price === null || (side !== 'buy' && side !== 'sell')) return undefined;
    traded.push({ id, qty: side === 'buy' ? filled_qty : new Dec(filled_qty).neg().toFixed(), price });
  }
  return traded;
}
