import { symbolAssetClass } from '../asset-class.ts';
import { type Dec, isPositive, min } from '../decimal.ts';
import { addDays, daysBetween, type IsoDate, newYorkDate, newYorkInstant } from '../new-york-time.ts';
import { type Lot, type LotPool, proportionalAmount, proportionalShares } from './lot-pool.ts';

/** The window covers this many days before and after the sale: 61 days in total, including the day of the sale. */
export const WASH_SALE_WINDOW_DAYS = 30;

export interface WashSaleShares {
  /** Shares sold at a loss that were replaced within the window. */
  washed: Dec;
  /** The disallowed loss, in dollars and cents, which is added to the cost of the replacement shares. */
  disallowed: Dec;
}

interface Closed extends WashSaleShares {
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
 * Wash sales during a replay. If shares of the same symbol are bought from 30 days before to 30 days after a sale at a
 * loss, the loss is added to the cost of the shares bought, and the holding period of the shares sold carries over.
 * Losses, oldest first, are matched with the earliest purchases. Each share replaces at most one other share, never one
 * of its own lot (Revenue Ruling 56-602). Source: 26 U.S.C. § 1091(a) and (d), § 1223(3); 26 CFR 1.1091-1 and -2; IRS
 * Publication 550, "Wash Sales".
 */
export class WashSaleLosses {
  /** Losses whose shares later purchases may replace, by symbol, in the order of the sales. */
  readonly #open = new Map<string, { losses: OpenLoss[]; first: number }>();

  /** Records a sale. @param held lots held after the sale; replacement lots get the loss added to their cost */
  sold(symbol: string, closings: readonly Closed[], held: LotPool): void {
    // 26 U.S.C. § 1091 covers only stock and securities, and crypto is neither.
    if (symbolAssetClass(symbol) === 'crypto') return;
    const [first] = closings;
    if (first === undefined) return;
    const sold = newYorkDate(first.closed);
    const since = newYorkInstant(addDays(sold, -WASH_SALE_WINDOW_DAYS), '00:00');
    for (const closing of closings.toSorted((a, b) => (a.opened ?? 0) - (b.opened ?? 0))) {
      const { opened, proceeds, cost, qty, tacked } = closing;
      if (opened === undefined || proceeds === undefined || cost === undefined || proceeds.gte(cost)) continue;
      const days = daysBetween(newYorkDate(opened), sold) + tacked;
      const open = { closing, sold, days, qty, loss: cost.minus(proceeds) };
      held.replace(since, (lot) => (isPositive(open.qty) ? replaceShares(lot, open) : undefined));
      if (isPositive(open.qty)) this.#openOf(symbol).losses.push(open);
    }
  }

  #openOf(symbol: string) {
    const known = this.#open.get(symbol);
    if (known !== undefined) return known;
    const open = { losses: [], first: 0 };
    this.#open.set(symbol, open);
    return open;
  }

  /** Returns the lots that a purchase opens: replacement shares for earlier losses, and the rest. */
  bought(symbol: string, lot: Lot & { readonly at: number }): Lot[] {
    const open = this.#open.get(symbol);
    if (open === undefined || open.first === open.losses.length) return [lot];
    const { losses } = open;
    const earliest = addDays(newYorkDate(lot.at), -WASH_SALE_WINDOW_DAYS);
    const lots: Lot[] = [];
    let rest: Lot | undefined = lot;
    for (let index = open.first; rest !== undefined && index < losses.length; index++) {
      const loss = losses[index] as OpenLoss;
      const isPast = !isPositive(loss.qty) || loss.sold < earliest;
      if (isPast && index === open.first) open.first++;
      if (isPast) continue;
      const [replaced, left]: readonly [Lot, Lot?] = replaceShares(rest, loss);
      if (replaced === rest) continue;
      lots.push(replaced);
      rest = left;
    }
    return rest === undefined ? lots : [...lots, rest];
  }

  split(symbol: string, old: Dec, made: Dec): void {
    for (const loss of this.#open.get(symbol)?.losses ?? []) loss.qty = proportionalShares(made, loss.qty, old);
  }
}

/** Adds a loss to the part of a lot that replaces its shares. Returns this part and the rest, or the unchanged lot. */
function replaceShares(lot: Lot, open: OpenLoss): readonly [Lot, Lot?] {
  const { closing, days } = open;
  if (lot.at === closing.opened) return [lot];
  const qty = min(lot.qty, open.qty);
  const loss = proportionalAmount(open.loss, qty, open.qty);
  // A split since the sale has changed `open.qty`, but not `closing.qty`, so the washed shares are computed as a
  // fraction.
  closing.washed = closing.washed.plus(proportionalShares(closing.qty.minus(closing.washed), qty, open.qty));
  closing.disallowed = closing.disallowed.plus(loss);
  [open.qty, open.loss] = [open.qty.minus(qty), open.loss.minus(loss)];
  const part = lot.amount && proportionalAmount(lot.amount, qty, lot.qty);
  const raised = { ...lot, qty, amount: part?.plus(loss), tacked: (lot.tacked ?? 0) + days, replaces: true as const };
  const rest = lot.qty.minus(qty);
  return isPositive(rest) ? [raised, { ...lot, qty: rest, amount: part && lot.amount?.minus(part) }] : [raised];
}
