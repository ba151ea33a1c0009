import { z } from 'zod';
import { decimalString } from './decimal.ts';

/**
 * A news article in its publisher's words, which are data and never instructions. Texts are one line, cut to the
 * lengths below.
 */
export const articleSchema = z.lazy(() =>
  z.object({
    id: z.string(),
    headline: z.string(),
    summary: z.string(),
    source: z.string(),
    author: z.string(),
    /** https alone; null where there is no address that can be followed. */
    url: z.string().nullable(),
    symbols: z.array(z.string()),
    at: z.string(),
    simulated: z.boolean(),
  }),
);
export type Article = z.output<typeof articleSchema>;

export const LONGEST_HEADLINE = 200;
export const LONGEST_SUMMARY = 500;
export const LONGEST_NAME = 80;
export const MOST_ARTICLE_SYMBOLS = 20;
export const MOST_ARTICLES = 50;

export const corporateActionKinds = [
  'cash_dividend',
  'stock_dividend',
  'forward_split',
  'reverse_split',
  'unit_split',
  'spin_off',
  'cash_merger',
  'stock_merger',
  'stock_and_cash_merger',
  'name_change',
  'redemption',
  'rights_distribution',
  'worthless_removal',
  'reorganization',
  'partial_call',
] as const;

/** What a company does to its shares. Dates are `YYYY-MM-DD`, in New York. */
export const corporateActionSchema = z.lazy(() =>
  z.object({
    id: z.string(),
    kind: z.enum(corporateActionKinds),
    symbol: z.string(),
    /** What the shares turn into, or who takes the company over; null where there is none. */
    other_symbol: z.string().nullable(),
    /** Dollars a share; null where no money is paid. */
    cash: decimalString.nullable(),
    /** So many new shares for so many old ones; null where none come. */
    new_shares: decimalString.nullable(),
    old_shares: decimalString.nullable(),
    ex_date: z.iso.date().nullable(),
    record_date: z.iso.date().nullable(),
    payable_date: z.iso.date().nullable(),
    process_date: z.iso.date(),
    simulated: z.boolean(),
  }),
);
export type CorporateAction = z.output<typeof corporateActionSchema>;

export const MOST_ACTIONS = 100;

export const watchlistSchema = z.lazy(() =>
  z.object({
    symbols: z.array(z.string()),
    updated_at: z.string().nullable(),
  }),
);
export type Watchlist = z.output<typeof watchlistSchema>;

export const MOST_WATCHED = 100;
