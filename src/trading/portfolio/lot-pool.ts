import TinyQueue from 'tinyqueue';
import { compare, type Dec, isPositive, ZERO } from '../decimal.ts';
import { type IsoDate, newYorkDate } from '../new-york-time.ts';

/**
 * Methods that choose the shares of a sale. `fifo`: the oldest shares (26 CFR 1.1012-1(c)(1)). `average`: the oldest
 * shares at the average cost of all shares (26 CFR 1.1012-1(e)(7)). `highest`: the highest cost per share. `specific`:
 * the named lots, then the oldest shares (26 CFR 1.1012-1(c)(2)).
 */
export const lotMethods = ['fifo', 'average', 'highest', 'specific'] as const;
export type LotMethod = (typeof lotMethods)[number];

export interface LotChoice {
  readonly symbol: string;
  readonly sold: IsoDate;
  readonly acquired: IsoDate;
  readonly qty: Dec;
}

export interface Lot {
  readonly qty: Dec;
  /** Amount paid, or received for a short sale, in whole cents. Undefined if unknown. */
  readonly amount: Dec | undefined;
  /** Time of the purchase in milliseconds since the epoch. Undefined if unknown. */
  readonly at: number | undefined;
  /** Days that replaced shares were held before a wash sale. They are added to the lot's own holding period. */
  readonly tacked?: number;
  readonly replaces?: true;
}

/** Rounds to whole cents, half to even. */
export const roundToCents = (value: Dec): Dec => value.toDecimalPlaces(2);

/** A lot, with its older and newer neighbors. */
interface LotNode {
  lot: Lot;
  /** Decides between lots of the same time: the lot added first counts as older. */
  readonly order: number;
  older: LotNode | undefined;
  newer: LotNode | undefined;
  isHeld: boolean;
  /** Neighbors among the lots that have replaced no shares yet. Undefined if this lot is not one of them. */
  unused: { older: LotNode | undefined; newer: LotNode | undefined } | undefined;
}

interface PricedLot {
  readonly node: LotNode;
  readonly lot: Lot;
  /** Dollars per share. Undefined if the cost is unknown. */
  readonly unitCost: Dec | undefined;
}

export interface LotPoolOptions {
  /** Whether `take` is called with named lots. */
  readonly named?: boolean;
  /** Whether `replace` is used. */
  readonly washSales?: boolean;
}

/** A part of a sale's shares that was bought on a given day. */
export interface NamedShares {
  readonly acquired: IsoDate;
  readonly qty: Dec;
}

/**
 * The lots of one symbol on one side (long or short), oldest first. Lots of unknown age come first. The lots are a
 * linked list with running totals, so adding or removing a lot takes constant time (for the `highest` method,
 * logarithmic time).
 */
export class LotPool {
  #oldest: LotNode | undefined;
  #newest: LotNode | undefined;
  /** The last of the lots of unknown age. */
  #lastUndated: LotNode | undefined;
  #qty: Dec = ZERO;
  #added = 0;
  /**
   * With the `average` method, the cost and shares of all lots of known cost. The lots' own amounts then show only
   * whether their cost is known.
   */
  readonly #known: { amount: Dec; qty: Dec } | undefined;
  /** With the `highest` method, the lots by cost. Lots that have since been sold or changed are skipped. */
  readonly #byCost: TinyQueue<PricedLot> | undefined;
  /** The oldest and newest of the lots that have replaced no shares yet, if wash sales are tracked. */
  readonly #unused: { oldest: LotNode | undefined; newest: LotNode | undefined } | undefined;
  /** With named lots, the oldest lot and the number of shares of each day of purchase. */
  readonly #days: Map<IsoDate, { oldest: LotNode; qty: Dec }> | undefined;

  constructor(method: LotMethod, { named = false, washSales = false }: LotPoolOptions = {}) {
    this.#known = method === 'average' ? { amount: ZERO, qty: ZERO } : undefined;
    this.#byCost = method === 'highest' ? new TinyQueue<PricedLot>([], dearerFirst) : undefined;
    this.#days = named ? new Map() : undefined;
    this.#unused = washSales ? { oldest: undefined, newest: undefined } : undefined;
  }

  get qty(): Dec {
    return this.#qty;
  }

  get isEmpty(): boolean {
    return this.#oldest === undefined;
  }

  /** Returns the lots, with the total cost spread over them in proportion to their shares if costs are averaged. */
  get lots(): Lot[] {
    const lots: Lot[] = [];
    for (let node = this.#oldest; node !== undefined; node = node.newer) lots.push(node.lot);
    return this.#known === undefined ? lots : spread(lots, this.#known);
  }

  /** Returns how many shares bought on a day are held. Always zero unless lots can be named. */
  qtyOf(acquired: IsoDate): Dec {
    return this.#days?.get(acquired)?.qty ?? ZERO;
  }

  /** Adds lots, oldest first. Finds the places of all of them in one pass, starting from the newest lot. */
  put(lots: readonly Lot[]): void {
    const first = this.#added;
    const undated = this.#lastUndated;
    this.#added += lots.length;
    let place = this.#newest;
    let unused = this.#unused?.newest;
    for (let index = lots.length - 1; index >= 0; index--) {
      const lot = lots[index] as Lot;
      if (lot.at === undefined) place = undated;
      else while (place !== undefined && isOlder(lot.at, place)) place = place.older;
      const node: LotNode = {
        lot,
        order: first + index,
        older: place,
        newer: undefined,
        isHeld: true,
        unused: undefined,
      };
      this.#link(node);
      if (lot.at !== undefined && lot.replaces !== true) {
        while (unused !== undefined && isOlder(lot.at, unused)) unused = unused.unused?.older;
        this.#offer(node, unused);
      }
      if (this.#known !== undefined && lot.amount !== undefined) {
        this.#known.amount = this.#known.amount.plus(lot.amount);
        this.#known.qty = this.#known.qty.plus(lot.qty);
      }
    }
  }

  /**
   * Removes up to `qty` shares, chosen by the pool's method. The removed and remaining amounts add up to the cent.
   * @param named shares to remove first; for each day, at most as many as are held
   */
  take(qty: Dec, named: readonly NamedShares[] = []): Lot[] {
    if (this.#known !== undefined) return this.takeOldest(qty);
    const taken: Lot[] = [];
    let left = qty;
    for (const { acquired, qty: part } of named) {
      const rest = this.#takeWhile(part, taken, () => this.#days?.get(acquired)?.oldest);
      left = left.minus(part).plus(rest);
    }
    this.#takeWhile(left, taken, this.#byCost === undefined ? () => this.#oldest : () => this.#dearest());
    return taken;
  }

  /** Removes up to `qty` of the oldest shares, at average cost if costs are averaged. */
  takeOldest(qty: Dec): Lot[] {
    const taken: Lot[] = [];
    this.#takeWhile(qty, taken, () => this.#oldest);
    const known = this.#known;
    if (known === undefined) return taken;
    const shares = sumShares(taken.filter(({ amount }) => amount !== undefined));
    const amount = proportionalAmount(known.amount, shares, known.qty);
    known.amount = known.amount.minus(amount);
    known.qty = known.qty.minus(shares);
    return spread(taken, { amount, qty: shares });
  }

  /**
   * Offers the lots that have replaced no shares yet, oldest first, to a sale at a loss. Requires `washSales`.
   * @param since the earliest time of purchase. Lots from before it are not offered again, even by later calls
   * @param replace returns the lot, or the lots with the same age and number of shares that take its place: first the
   *   replacement shares, then the rest. Undefined if no shares are left to replace
   */
  replace(since: number, replace: (lot: Lot) => readonly [Lot, Lot?] | undefined): void {
    for (let node = this.#unused?.oldest; node !== undefined; ) {
      const newer = node.unused?.newer;
      if (node.lot.at === undefined || node.lot.at < since) this.#use(node);
      else {
        const lots = replace(node.lot);
        if (lots === undefined) return;
        if (lots[0] !== node.lot) this.#divide(node, lots);
      }
      node = newer;
    }
  }

  #divide(node: LotNode, [first, rest]: readonly [Lot, Lot?]): void {
    const { lot, order, older } = node;
    if (this.#known !== undefined && lot.amount !== undefined && first.amount !== undefined) {
      const change = first.amount.plus(rest?.amount ?? ZERO).minus(lot.amount);
      this.#known.amount = this.#known.amount.plus(change);
    }
    this.#change(node, rest ?? first);
    if (rest === undefined) this.#use(node);
    else this.#link({ lot: first, order, older, newer: undefined, isHeld: true, unused: undefined });
  }

  /** Removes a lot from the list of lots that have replaced no shares yet. */
  #use(node: LotNode): void {
    if (node.unused === undefined || this.#unused === undefined) return;
    const { older, newer } = node.unused;
    if (older?.unused === undefined) this.#unused.oldest = newer;
    else older.unused.newer = newer;
    if (newer?.unused === undefined) this.#unused.newest = older;
    else newer.unused.older = older;
    node.unused = undefined;
  }

  /** Adds a lot to the list of lots that have replaced no shares yet. @param older its neighbor in the list */
  #offer(node: LotNode, older: LotNode | undefined): void {
    if (this.#unused === undefined) return;
    const newer = older === undefined ? this.#unused.oldest : older.unused?.newer;
    node.unused = { older, newer };
    if (older?.unused === undefined) this.#unused.oldest = node;
    else older.unused.newer = node;
    if (newer?.unused === undefined) this.#unused.newest = node;
    else newer.unused.older = node;
  }

  /** Moves `qty` shares of the lots that `next` returns to `taken`. @returns the number of missing shares */
  #takeWhile(qty: Dec, taken: Lot[], next: () => LotNode | undefined): Dec {
    let left = qty;
    while (isPositive(left)) {
      const node = next();
      if (node === undefined) break;
      const { lot } = node;
      if (compare(lot.qty, left) <= 0) {
        this.#unlink(node);
        taken.push(lot);
        left = left.minus(lot.qty);
      } else {
        const part = lot.amount && proportionalAmount(lot.amount, left, lot.qty);
        taken.push({ ...lot, qty: left, amount: part });
        this.#change(node, { ...lot, qty: lot.qty.minus(left), amount: part && lot.amount?.minus(part) });
        left = ZERO;
      }
    }
    return left;
  }

  #link(node: LotNode): void {
    const { older, lot } = node;
    node.newer = older === undefined ? this.#oldest : older.newer;
    if (node.newer === undefined) this.#newest = node;
    else node.newer.older = node;
    if (older === undefined) this.#oldest = node;
    else older.newer = node;
    if (lot.at === undefined && this.#lastUndated === older) this.#lastUndated = node;
    this.#qty = this.#qty.plus(lot.qty);
    this.#byCost?.push(pricedLot(node));
    if (this.#days === undefined || lot.at === undefined) return;
    const acquired = newYorkDate(lot.at);
    const day = this.#days.get(acquired);
    if (day === undefined) this.#days.set(acquired, { oldest: node, qty: lot.qty });
    else {
      if (day.oldest === node.newer) day.oldest = node;
      day.qty = day.qty.plus(lot.qty);
    }
  }

  #unlink(node: LotNode): void {
    const { older, newer, lot } = node;
    node.isHeld = false;
    this.#use(node);
    if (older === undefined) this.#oldest = newer;
    else older.newer = newer;
    if (newer === undefined) this.#newest = older;
    else newer.older = older;
    if (this.#lastUndated === node) this.#lastUndated = older;
    this.#qty = this.#qty.minus(lot.qty);
    if (this.#days === undefined || lot.at === undefined) return;
    const acquired = newYorkDate(lot.at);
    const day = this.#days.get(acquired);
    if (day === undefined) return;
    day.qty = day.qty.minus(lot.qty);
    if (day.oldest !== node) return;
    if (newer?.lot.at !== undefined && newYorkDate(newer.lot.at) === acquired) day.oldest = newer;
    else this.#days.delete(acquired);
  }

  #change(node: LotNode, lot: Lot): void {
    const change = lot.qty.minus(node.lot.qty);
    node.lot = lot;
    this.#qty = this.#qty.plus(change);
    this.#byCost?.push(pricedLot(node));
    const day = lot.at === undefined ? undefined : this.#days?.get(newYorkDate(lot.at));
    if (day !== undefined) day.qty = day.qty.plus(change);
  }

  /** Returns the oldest of the lots with the highest cost per share. Lots of unknown cost come last. */
  #dearest(): LotNode | undefined {
    for (let first = this.#byCost?.peek(); first !== undefined; first = this.#byCost?.peek()) {
      if (first.node.isHeld && first.node.lot === first.lot) return first.node;
      this.#byCost?.pop();
    }
    return undefined;
  }
}

const isOlder = (at: number, { lot }: LotNode) => (lot.at ?? Number.NEGATIVE_INFINITY) > at;

function pricedLot(node: LotNode): PricedLot {
  const { lot } = node;
  return { node, lot, unitCost: lot.amount?.div(lot.qty) };
}

function dearerFirst(a: PricedLot, b: PricedLot): number {
  if (a.unitCost !== undefined && b.unitCost !== undefined) return compare(b.unitCost, a.unitCost) || olderFirst(a, b);
  if (a.unitCost === undefined && b.unitCost === undefined) return olderFirst(a, b);
  return a.unitCost === undefined ? 1 : -1;
}

function olderFirst({ lot: a, node: { order } }: PricedLot, { lot: b, node }: PricedLot): number {
  return (a.at ?? 0) - (b.at ?? 0) || order - node.order;
}

function sumShares(lots: readonly Lot[]): Dec {
  return lots.reduce((sum, { qty }) => sum.plus(qty), ZERO);
}

/** Spreads a cost over the lots of known cost in proportion to their shares. Each lot keeps its quantity and age. */
function spread(lots: readonly Lot[], known: { readonly amount: Dec; readonly qty: Dec }): Lot[] {
  let { amount, qty } = known;
  return lots.map((lot) => {
    if (lot.amount === undefined) return lot;
    const part = proportionalAmount(amount, lot.qty, qty);
    [amount, qty] = [amount.minus(part), qty.minus(lot.qty)];
    return { ...lot, amount: part };
  });
}

/**
 * Returns the part of an amount that belongs to `qty` of `whole` shares, rounded to the cent, or the unrounded amount
 * if `qty` equals `whole`.
 */
export function proportionalAmount(amount: Dec, qty: Dec, whole: Dec): Dec {
  return qty.eq(whole) ? amount : roundToCents(amount.mul(qty).div(whole));
}

const SHARE_DECIMALS = 9;

/**
 * Returns the part of `made` shares that replaces `qty` of `old` shares, rounded to the nine decimals that brokers
 * count shares in, or all of `made` if `qty` equals `old`.
 */
export function proportionalShares(made: Dec, qty: Dec, old: Dec): Dec {
  return qty.eq(old) ? made : made.mul(qty).div(old).toDecimalPlaces(SHARE_DECIMALS);
}
