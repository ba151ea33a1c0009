import { Dec, ZERO } from '../../trading/decimal.ts';
import { newYorkDate } from '../../trading/new-york-time.ts';
import type { Order, OrderLeg } from '../../trading/views.ts';

/** What is held of a contract now, and what it stands at. Short is below zero. */
interface HeldNow {
  /** The contract, by whatever the broker tells one from another. */
  readonly id: string;
  readonly qty: string;
  readonly price: string;
}

/** What was traded of a contract since the last close: sold is below zero. */
type TradedSince = HeldNow;

/** A contract as of the last close; undefined where the broker doesn't tell. */
export interface AtClose {
  /** What one unit of `qty` stands for in the price: 1, and 100 for an option's contract. */
  readonly units: string | number | undefined;
  readonly price: string | undefined;
}

/**
 * What an account was worth at the last close, where the broker doesn't tell: equity now less what the day has made, which
 * is what was held then at its price then against what is held now, and what was traded since at the price of the trade.
 * Money that came or went today is in neither, so that no deposit hides a loss.
 * @returns undefined where it can't be told: a guess could hide a loss from `max_day_loss`
 */
export function equityAtLastClose(
  equity: string,
  held: readonly HeldNow[],
  traded: readonly TradedSince[],
  contracts: ReadonlyMap<string, AtClose>,
): Dec | undefined {
  let made = ZERO;
  for (const id of new Set([...held, ...traded].map((one) => one.id))) {
    const mine = ({ id: other }: HeldNow) => other === id;
    const since = traded.filter(mine);
    const worth = sumOf(held.filter(mine));
    const qtyThen = quantityOf(held.filter(mine)).minus(quantityOf(since));
    const { units, price } = contracts.get(id) ?? {};
    // What was bought today altogether has no part in the last close.
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

const quantityOf = (rows: readonly HeldNow[]): Dec => rows.reduce((sum, { qty }) => sum.plus(qty), ZERO);
const sumOf = (rows: readonly HeldNow[]): Dec =>
  rows.reduce((sum, { qty, price }) => sum.plus(new Dec(qty).times(price)), ZERO);

/**
 * What was filled today of orders, and of the legs of those that have legs.
 * @param idOf undefined for what is no single contract
 * @returns undefined where something was filled and nobody can tell of what, which way or at what price
 */
export function tradedToday(
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
