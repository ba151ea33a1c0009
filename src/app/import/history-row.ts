import { type Activity, FIRST_ACTIVITY } from '../../trading/activity.ts';
import { cents, Dec, decimal, isPositive, plain } from '../../trading/decimal.ts';
import { newYorkInstant } from '../../trading/new-york-time.ts';
import { symbolSchema } from '../../trading/order.ts';

/** The columns of a history, in any order; `date` and `type` must be there. */
export const historyColumns = [
  'date',
  'type',
  'symbol',
  'qty',
  'price',
  'amount',
  'from',
  'fraction',
] as const;
export type HistoryRow = Partial<Record<(typeof historyColumns)[number], string>>;

type Sign = 'positive' | 'negative' | 'any';

/** What a type of row is, and what it needs. */
interface RowType {
  readonly kind: Activity['kind'];
  /** As Alpaca calls it: what reads activities knows those names. */
  readonly type: string;
  readonly side?: 'buy' | 'sell';
  /** Shares, and their sign: what a broker writes with a minus or without is one. */
  readonly qty?: Sign;
  /** Dollars, and their sign. */
  readonly amount?: Sign;
  readonly symbol: 'needed' | 'optional' | 'none';
  /** Whether it says how it divides what shares of another symbol cost. */
  readonly divides?: true;
}

export const historyTypes: Readonly<Record<string, RowType>> = {
  buy: { kind: 'fill', type: 'FILL', side: 'buy', qty: 'positive', symbol: 'needed' },
  sell: { kind: 'fill', type: 'FILL', side: 'sell', qty: 'positive', symbol: 'needed' },
  deposit: { kind: 'deposit', type: 'CSD', amount: 'positive', symbol: 'none' },
  withdrawal: { kind: 'withdrawal', type: 'CSW', amount: 'negative', symbol: 'none' },
  dividend: { kind: 'dividend', type: 'DIV', amount: 'any', symbol: 'optional' },
  interest: { kind: 'interest', type: 'INT', amount: 'any', symbol: 'none' },
  fee: { kind: 'fee', type: 'FEE', amount: 'negative', symbol: 'optional' },
  split: { kind: 'other', type: 'SPLIT', qty: 'any', symbol: 'needed' },
  spin_off: { kind: 'other', type: 'SPIN', qty: 'positive', symbol: 'needed', divides: true },
  transfer: { kind: 'transfer', type: 'JNLS', qty: 'any', symbol: 'needed' },
};

/** What is wrong with a row, for people. */
export class RowError extends Error {}

/**
 * A row as an activity, without the id that the import gives it.
 * @param place its place in the file: rows of one day keep their order
 * @param now milliseconds since the epoch; nothing has happened later
 * @throws {RowError}
 */
export function activityOf(row: HistoryRow, place: number, now: number): Omit<Activity, 'id'> {
  const word = row.type?.trim().toLowerCase() ?? '';
  const type = Object.hasOwn(historyTypes, word) ? historyTypes[word] : undefined;
  if (type === undefined)
    throw new RowError(`type "${word}" is none of ${Object.keys(historyTypes).join(', ')}`);
  const at = instantOf(row.date ?? '', place);
  if (at > now) throw new RowError(`date ${row.date} has not come yet`);
  if (at < FIRST_ACTIVITY)
    throw new RowError(`date ${row.date} is before ${new Date(FIRST_ACTIVITY).getUTCFullYear()}`);
  const [qty, price, amount] = (['qty', 'price', 'amount'] as const).map((name) => numberOf(name, row[name]));
  const moved = type.qty === undefined ? undefined : withSign('qty', qty, type.qty);
  const money = type.amount === undefined ? undefined : withSign('amount', amount, type.amount);
  if (type.kind === 'fill') checkTrade(moved, price, amount);
  const written = {
    kind: type.kind,
    type: type.type,
    at: new Date(at).toISOString(),
    imported: true as const,
  };
  return {
    ...written,
    symbol: symbolOf(row.symbol, type.symbol),
    side: type.side ?? null,
    qty: moved === undefined ? null : plain(moved),
    price: type.kind === 'fill' && price !== undefined ? plain(price) : null,
    amount: money === undefined ? null : plain(money),
    ...(type.divides === true ? { basis: basisOf(row) } : {}),
  };
}

/** A day is known by its first moment in New York. */
function instantOf(text: string, place: number): number {
  const written = text.trim();
  if (/^\d{4}-\d\d-\d\d$/.test(written)) {
    const day = new Date(`${written}T00:00:00Z`);
    if (!Number.isNaN(day.getTime()) && day.toISOString().slice(0, 10) === written)
      return newYorkInstant(written, '00:00') + place;
  }
  if (/^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/.test(written)) {
    const at = Date.parse(written);
    if (!Number.isNaN(at)) return at;
  }
  throw new RowError(`date "${written}" is not like 2026-03-31 or 2026-03-31T15:30:00Z`);
}

/** Plain decimals, with a dollar sign and American thousands if need be: `-$1,234.50`. */
function numberOf(name: string, text: string | undefined): Dec | undefined {
  const written = text?.trim() ?? '';
  if (written === '') return undefined;
  const digits = written.replace(/^(-?)\$/, '$1');
  const bare = /^-?\d{1,3}(,\d{3})+(\.\d+)?$/.test(digits) ? digits.replaceAll(',', '') : digits;
  try {
    return decimal(bare);
  } catch {
    throw new RowError(`${name} "${written}" is not a number such as 1234.50`);
  }
}

function withSign(name: string, value: Dec | undefined, sign: Sign): Dec {
  if (value === undefined || value.isZero()) throw new RowError(`${name} is missing`);
  if (sign === 'any') return value;
  return sign === 'positive' ? value.abs() : value.abs().neg();
}

/** The amount of a trade says nothing more than shares and price do, or something is not said. */
function checkTrade(qty: Dec | undefined, price: Dec | undefined, amount: Dec | undefined): void {
  if (price === undefined || price.isZero() || price.isNegative()) throw new RowError('price is missing');
  if (qty === undefined || amount === undefined) return;
  const worth = qty.mul(price);
  if (amount.abs().minus(worth).abs().lte(new Dec('0.01'))) return;
  throw new RowError(
    `amount ${cents(amount.abs())} is not qty × price, ${cents(worth)}: leave it out, or put a fee on a line of its own`,
  );
}

/** Which part of what the shares cost goes with those that came, as their company says it in Form 8937. */
function basisOf({ from, fraction: written }: HistoryRow): NonNullable<Activity['basis']> {
  const fraction = numberOf('fraction', written);
  if (fraction === undefined || !isPositive(fraction) || fraction.gte(1)) {
    throw new RowError(
      'fraction must be the part of the cost that goes with the new shares, such as 0.2291 (Form 8937)',
    );
  }
  const name = from?.trim() ?? '';
  if (name === '') throw new RowError('from is missing: the symbol whose holders were given the shares');
  return { from: symbolOf(name, 'needed') ?? name, fraction: plain(fraction) };
}

function symbolOf(text: string | undefined, wanted: RowType['symbol']): string | null {
  const written = text?.trim() ?? '';
  if (wanted === 'none') return null;
  if (written === '') {
    if (wanted === 'optional') return null;
    throw new RowError('symbol is missing');
  }
  const symbol = symbolSchema.safeParse(written);
  if (!symbol.success)
    throw new RowError(`symbol "${written}" ${symbol.error.issues[0]?.message ?? 'is none'}`);
  return symbol.data;
}
