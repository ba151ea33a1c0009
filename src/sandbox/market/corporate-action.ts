import { z } from 'zod';
import { positiveDecimalString } from '../../trading/decimal.ts';
import { type IsoDate, newYorkInstant } from '../../trading/new-york-time.ts';

/** A decimal string, or a JSON number as in Alpaca's API. */
const rate = z.union([z.string(), z.number()]).transform(String).pipe(positiveDecimalString);
const symbol = z.string().regex(/^[A-Z]{1,5}(\.[A-Z]{1,2})?$/, 'must be a symbol such as BRK.B');
const day = z.iso.date();

const split = { symbol, new_rate: rate, old_rate: rate, ex_date: day };
const merger = { acquiree_symbol: symbol, effective_date: day };
const forShares = { acquiree_rate: rate, acquirer_symbol: symbol, acquirer_rate: rate };

/**
 * The corporate actions that the sandbox supports, keyed by the names of the lists in Alpaca's Market Data API
 * (`/v1/corporate-actions`). Other members are ignored.
 */
export const corporateActionLists = {
  cash_dividends: z.object({
    kind: z.literal('cash_dividend').default('cash_dividend'),
    symbol,
    rate,
    special: z.boolean().default(false),
    ex_date: day,
    payable_date: day,
  }),
  forward_splits: z.object({ kind: z.literal('forward_split').default('forward_split'), ...split }),
  reverse_splits: z.object({ kind: z.literal('reverse_split').default('reverse_split'), ...split }),
  spin_offs: z.object({
    kind: z.literal('spin_off').default('spin_off'),
    source_symbol: symbol,
    source_rate: rate,
    new_symbol: symbol,
    new_rate: rate,
    ex_date: day,
  }),
  cash_mergers: z.object({ kind: z.literal('cash_merger').default('cash_merger'), ...merger, rate }),
  stock_mergers: z.object({
    kind: z.literal('stock_merger').default('stock_merger'),
    ...merger,
    ...forShares,
  }),
  stock_and_cash_mergers: z.object({
    kind: z.literal('stock_and_cash_merger').default('stock_and_cash_merger'),
    ...merger,
    ...forShares,
    cash_rate: rate,
  }),
  name_changes: z.object({
    kind: z.literal('name_change').default('name_change'),
    old_symbol: symbol,
    new_symbol: symbol,
    process_date: day,
  }),
} as const;

type Lists = typeof corporateActionLists;
export type CorporateActionList = keyof Lists;
export type CorporateAction = z.output<Lists[CorporateActionList]>;
export type CorporateActionOf<Kind extends CorporateAction['kind']> = Extract<CorporateAction, { kind: Kind }>;

export const corporateActionsSchema = z
  .strictObject(
    Object.fromEntries(
      Object.entries(corporateActionLists).map(([list, schema]) => [list, z.array(schema).optional()]),
    ),
  )
  .transform((lists) => Object.values(lists).flatMap((actions) => actions ?? []) as CorporateAction[]);

export function actionSubject(action: CorporateAction): string {
  if ('symbol' in action) return action.symbol;
  if ('source_symbol' in action) return action.source_symbol;
  return 'old_symbol' in action ? action.old_symbol : action.acquiree_symbol;
}

export function successorSymbol(action: CorporateAction): string | undefined {
  if ('new_symbol' in action) return action.new_symbol;
  return 'acquirer_symbol' in action ? action.acquirer_symbol : undefined;
}

/** Returns the first day on which the shares trade without the benefit of the action. */
export function effectiveDate(action: CorporateAction): IsoDate {
  if ('ex_date' in action) return action.ex_date;
  return 'effective_date' in action ? action.effective_date : action.process_date;
}

/** Returns midnight in New York at the start of the action's effective date, when shares and prices change together. */
export function effectiveAt(action: CorporateAction): number {
  return newYorkInstant(effectiveDate(action), '00:00');
}

export function processDate(action: CorporateAction): IsoDate {
  return action.kind === 'cash_dividend' ? action.payable_date : effectiveDate(action);
}

export function endsSymbol(action: CorporateAction): boolean {
  return action.kind === 'name_change' || 'acquiree_symbol' in action;
}

/** Compares actions by the day on which they are posted, as Alpaca sorts them. */
export function compareByBookingDay(a: CorporateAction, b: CorporateAction): number {
  const key = (action: CorporateAction) => `${processDate(action)} ${actionSubject(action)} ${action.kind}`;
  return key(a) < key(b) ? -1 : 1;
}
