import type { Activity } from '../../../../src/trading/activity.ts';

/** A purchase's remaining shares, in billionths, as an exact fraction. */
interface ExactLot {
  readonly at: number;
  numerator: bigint;
  denominator: bigint;
}

export interface HeldShares {
  readonly symbol: string;
  /** The broker's count, in billionths of a share. */
  readonly nano: bigint;
  /** What is left of each purchase, first in, first out. */
  readonly lots: readonly ExactLot[];
  /** How far from the exact fraction a lot in billionths may be, because each split rounds and multiplies what was rounded. */
  readonly slack: bigint;
}

interface GeneratedAccount {
  readonly activities: readonly Activity[];
  readonly held: readonly HeldShares[];
  /** Cents paid for all purchases. */
  readonly paid: bigint;
  /** Cents received for all sales. */
  readonly received: bigint;
}

const SPLITS = [
  [2n, 1n],
  [3n, 1n],
  [3n, 2n],
  [7n, 5n],
  [20n, 1n],
  [1n, 8n],
  [1n, 10n],
  [1n, 3n],
] as const;
const START = Date.parse('2019-01-02T15:00:00Z');
const DAY = 86_400_000;

/** Rounds `a / b` to the nearest integer, half to even. */
function roundedQuotient(a: bigint, b: bigint): bigint {
  const [quotient, rest] = [a / b, (a % b) * 2n];
  return rest > b || (rest === b && quotient % 2n === 1n) ? quotient + 1n : quotient;
}

const decimal = (value: bigint, places: number): string => {
  const digits = (value < 0n ? -value : value).toString().padStart(places + 1, '0');
  return `${value < 0n ? '-' : ''}${digits.slice(0, -places)}.${digits.slice(-places)}`;
};

/** Makes an account's activities with integers alone, and says what is left of each purchase. */
export function generateAccount(random: () => number): GeneratedAccount {
  const below = (limit: number) => Math.floor(random() * limit);
  const activities: Activity[] = [];
  let [paid, received] = [0n, 0n];
  const row = (at: number, more: Partial<Activity>): void => {
    const empty = { symbol: null, side: null, qty: null, price: null, amount: null };
    activities.push({
      id: String(activities.length),
      kind: 'fill',
      type: 'FILL',
      at: new Date(at).toISOString(),
      ...empty,
      ...more,
    });
  };

  const held = ['KO', 'VTI', 'O'].slice(0, 1 + below(3)).map((symbol, index): HeldShares => {
    let lots: ExactLot[] = [];
    let slack = 0n;
    let [nano, price] = [0n, BigInt(500 + below(40_000))];
    const trade = (at: number, side: 'buy' | 'sell', qty: bigint) => {
      row(at, { symbol, side, qty: decimal(qty, 9), price: decimal(price, 2) });
      return roundedQuotient(qty * price, 1_000_000_000n);
    };
    const buy = (at: number, amount: bigint) => {
      const qty = (amount * 1_000_000_000n) / price;
      if (qty === 0n) return;
      paid += trade(at, 'buy', qty);
      nano += qty;
      lots.push({ at, numerator: qty, denominator: 1n });
    };
    const sell = (at: number, qty: bigint) => {
      if (qty === 0n) return;
      received += trade(at, 'sell', qty);
      nano -= qty;
      let left = { numerator: qty, denominator: 1n };
      lots = lots.flatMap((lot) => {
        const rest = lot.numerator * left.denominator - left.numerator * lot.denominator;
        const denominator = lot.denominator * left.denominator;
        if (rest <= 0n) {
          left = { numerator: -rest, denominator };
          return [];
        }
        left = { numerator: 0n, denominator: 1n };
        return [{ at: lot.at, numerator: rest, denominator }];
      });
    };
    const split = (at: number) => {
      const [made, old] = SPLITS[below(SPLITS.length)] ?? SPLITS[0];
      const now = (nano * made) / old;
      if (now === 0n || now === nano) return;
      price = (price * old) / made + 1n;
      const booked = { kind: 'other', type: 'SPLIT', symbol, group: `${symbol}${at}` } as const;
      if (below(2) === 0) row(at, { ...booked, qty: decimal(now - nano, 9) });
      else for (const qty of [-nano, now]) row(at, { ...booked, qty: decimal(qty, 9) });
      for (const lot of lots) [lot.numerator, lot.denominator] = [lot.numerator * now, lot.denominator * nano];
      slack = (slack * now) / nano + 2n * BigInt(lots.length + 1);
      nano = now;
    };
    let at = START + index * 60_000;
    for (let quarter = 0; quarter < 12 + below(20); quarter++) {
      at += (20 + below(70)) * DAY;
      price = (price * BigInt(80 + below(45))) / 100n + 1n;
      if (nano === 0n || below(3) === 0) buy(at, BigInt(100 + below(500_000)));
      const dividend = (nano * price) / 100_000_000_000n;
      if (dividend > 0n) {
        row(at + 1000, { kind: 'dividend', type: 'DIV', symbol, amount: decimal(dividend, 2) });
        buy(at + 2000, dividend);
      }
      if (below(6) === 0) split(at + DAY);
      if (below(4) === 0) sell(at + 2 * DAY, below(4) === 0 ? nano : (nano * BigInt(1 + below(99))) / 100n);
    }
    return { symbol, nano, lots, slack };
  });
  activities.sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
  return { activities, held, paid, received };
}
