import { assetClassOf } from '../asset-class.ts';
import { Dec, isPositive, ZERO } from '../decimal.ts';
import { addDays, daysBetween, type IsoDate, newYorkDate } from '../new-york-time.ts';
import { type BookLot, type LotPool, partOf } from './lot-pool.ts';

/** Days before the sale, and after it: with its own day 61. */
export const WINDOW_DAYS = 30;

export interface Washed {
  /** Shares at a loss for which others were bought within the window. */
  washed: Dec;
  /** Dollars of that loss, whole cents, by which the cost of the others rises. */
  disallowed: Dec;
}

interface Closed extends Washed {
  readonly qty: Dec;
  readonly opened: number | undefined;
  readonly closed: number;
  readonly proceeds: Dec | undefined;
  readonly cost: Dec | undefined;
  readonly tacked: number;
}

interface OpenLoss {
  readonly closing: Closed;
  readonly sold: IsoDate;
  readonly days: number;
  qty: Dec;
  loss: Dec;
}

/**
 * Wash sales during a replay: if shares of the same symbol are bought from 30 days before to 30 days after a sale at
 * a loss, the loss is added to their cost and the holding period carries over. Losses match in the order made, with
 * the first purchases; a share replaces only one other, never one of its own lot (Revenue Ruling 56-602). Source: 26
 * U.S.C. § 1091(a) and (d), § 1223(3); 26 CFR 1.1091-1 and -2; IRS Publication 550, "Wash Sales".
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
