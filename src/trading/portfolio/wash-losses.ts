import { assetClassOf } from '../asset-class.ts';
import { Dec, isPositive, ZERO } from '../decimal.ts';
import { addDays, daysBetween, type IsoDate, newYorkDate } from '../new-york-time.ts';
import { type BookLot, type LotPool, partOf } from './lot-pool.ts';

/** Days before the sale, and after it: with its own day 61. */
export const WINDOW_DAYS = 30;

/** Of shares that were closed, what the wash-sale rule takes of them. */
export interface Washed {
  /** Shares at a loss for which others were bought within the window. */
  washed: Dec;
  /** Dollars of the loss that are theirs, whole cents: the cost of those others is higher by so much. */
  disallowed: Dec;
}

/** As much of a closing as the rule goes by. */
interface Closed extends Washed {
  readonly qty: Dec;
  readonly opened: number | undefined;
  readonly closed: number;
  readonly proceeds: Dec | undefined;
  readonly cost: Dec | undefined;
  readonly tacked: number;
}

/** A loss for which no others were bought yet, or for a part of it. */
interface OpenLoss {
  readonly closing: Closed;
  readonly sold: IsoDate;
  /** Days that the shares sold were held, which those bought instead count as theirs. */
  readonly days: number;
  qty: Dec;
  loss: Dec;
}

/**
 * Wash sales of a history as it is replayed: where shares of the same symbol are bought from 30 days before a sale to 30
 * days after, and not sold by it or before, its loss is not counted but added to what those cost, and they are held since
 * so much earlier as the others were held. Losses are matched in the order they were made, with what was bought first; a
 * share stands for one other alone, and never for one of its own lot (Revenue Ruling 56-602). Source: 26 U.S.C. § 1091(a)
 * and (d), § 1223(3); 26 CFR 1.1091-1 and -2; IRS Publication 550, "Wash Sales".
 */
export class WashLosses {
  readonly #open = new Map<string, OpenLoss[]>();

  /** @param held what is held after the sale; it is raised where it was bought instead */
  sold(symbol: string, closings: readonly Closed[], held: LotPool): void {
    // Crypto is no stock and no security, which the section is about.
    if (assetClassOf(symbol) === 'crypto') return;
    for (const closing of closings.toSorted((a, b) => (a.opened ?? 0) - (b.opened ?? 0))) {
      const { opened, closed, proceeds, cost, qty, tacked } = closing;
      if (opened === undefined || proceeds === undefined || cost === undefined || proceeds.gte(cost))
        continue;
      const sold = newYorkDate(closed);
      const days = daysBetween(newYorkDate(opened), sold) + tacked;
      const open = { closing, sold, days, qty, loss: cost.minus(proceeds) };
      held.lots = held.lots.flatMap((lot) => instead(lot, open));
      if (isPositive(open.qty)) this.#open.set(symbol, [...(this.#open.get(symbol) ?? []), open]);
    }
  }

  /** What a purchase opens: its shares that stand for others sold before, and the rest. */
  bought(symbol: string, lot: BookLot & { readonly at: number }): BookLot[] {
    const open = this.#open.get(symbol);
    if (open === undefined) return [lot];
    const lots = open.reduce<BookLot[]>((parts, loss) => parts.flatMap((part) => instead(part, loss)), [lot]);
    const day = newYorkDate(lot.at);
    this.#open.set(
      symbol,
      open.filter(({ qty, sold }) => isPositive(qty) && day <= addDays(sold, WINDOW_DAYS)),
    );
    return lots;
  }

  /** A split: what waits is so many of the new shares. */
  split(symbol: string, old: Dec, made: Dec): void {
    for (const loss of this.#open.get(symbol) ?? []) loss.qty = loss.qty.mul(made).div(old);
  }
}

function instead(lot: BookLot, open: OpenLoss): BookLot[] {
  const { closing, sold, days } = open;
  if (lot.at === undefined || lot.replaces === true || lot.at === closing.opened || !isPositive(open.qty))
    return [lot];
  const day = newYorkDate(lot.at);
  if (day < addDays(sold, -WINDOW_DAYS) || day > addDays(sold, WINDOW_DAYS)) return [lot];
  const qty = Dec.min(lot.qty, open.qty);
  const loss = partOf(open.loss, qty, open.qty);
  // A split since has made them other shares than those sold: their part is of what was left of the loss.
  const whole = closing.qty.minus(closing.washed);
  closing.washed = closing.washed.plus(qty.eq(open.qty) ? whole : whole.mul(qty).div(open.qty));
  closing.disallowed = closing.disallowed.plus(loss);
  [open.qty, open.loss] = [open.qty.minus(qty), open.loss.minus(loss)];
  const part = lot.amount && partOf(lot.amount, qty, lot.qty);
  const raised = {
    ...lot,
    qty,
    amount: part?.plus(loss),
    tacked: (lot.tacked ?? 0) + days,
    replaces: true as const,
  };
  const rest = lot.qty.minus(qty);
  return rest.eq(ZERO) ? [raised] : [raised, { ...lot, qty: rest, amount: part && lot.amount?.minus(part) }];
}
