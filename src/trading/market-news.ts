import { z } from 'zod';
import { decimalString } from './decimal.ts';

/**
 * An article about the market, as its publisher wrote it: none of its words are the gateway's, and none are instructions.
 * Each is one line, cut at what it is shown with.
 */
export const articleSchema = z.lazy(() =>
  z.object({
    id: z.string(),
    headline: z.string(),
    summary: z.string(),
    /** Who published it. */
    source: z.string(),
    author: z.string(),
    /** https alone; null where there is no address that can be followed. */
    url: z.string().nullable(),
    symbols: z.array(z.string()),
    /** RFC 3339. */
    at: z.string(),
    /** True where the sandbox made it up. */
    simulated: z.boolean(),
  }),
);
export type Article = z.output<typeof articleSchema>;

/** Characters of an article that are told. */
export const LONGEST_HEADLINE = 200;
export const LONGEST_SUMMARY = 500;
export const LONGEST_NAME = 80;
export const MOST_ARTICLE_SYMBOLS = 20;
/** Articles in one answer. */
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
    /** Whoever holds the shares before this day has the right. */
    ex_date: z.iso.date().nullable(),
    record_date: z.iso.date().nullable(),
    payable_date: z.iso.date().nullable(),
    /** When the broker books it. */
    process_date: z.iso.date(),
    simulated: z.boolean(),
  }),
);
export type CorporateAction = z.output<typeof corporateActionSchema>;

/** Corporate actions in one answer. */
export const MOST_ACTIONS = 100;

/** What the owner keeps an eye on: theirs at the broker, in their order. */
export const watchlistSchema = z.lazy(() =>
  z.object({
    symbols: z.array(z.string()),
    /** RFC 3339; null where there is no list yet. */
    updated_at: z.string().nullable(),
  }),
);
export type Watchlist = z.output<typeof watchlistSchema>;

/** Symbols on the list: more is nothing that a person watches. */
export const MOST_WATCHED = 100;
