import { z } from 'zod';
import { decimalString } from './decimal.ts';

/**
 * A news article in its publisher's words, which are treated as data, never as instructions. Each string is a single
 * line, truncated to its maximum length below.
 */
export const articleSchema = z.lazy(() =>
  z.object({
    id: z.string(),
    headline: z.string(),
    summary: z.string(),
    source: z.string(),
    author: z.string(),
    /** An https URL, or null if the article has no https URL. */
    url: z.string().nullable(),
    symbols: z.array(z.string()),
    at: z.string(),
    simulated: z.boolean(),
  }),
);
export type Article = z.output<typeof articleSchema>;

export const MAX_HEADLINE_LENGTH = 200;
export const MAX_SUMMARY_LENGTH = 500;
export const MAX_SOURCE_NAME_LENGTH = 80;
export const MAX_ARTICLE_SYMBOLS = 20;
export const MAX_ARTICLES = 50;

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

/** A corporate action, such as a split or a merger. Dates are `YYYY-MM-DD`, in New York. */
export const corporateActionSchema = z.lazy(() =>
  z.object({
    id: z.string(),
    kind: z.enum(corporateActionKinds),
    symbol: z.string(),
    /** The new symbol of the shares, or the acquirer's symbol. Null if there is none. */
    other_symbol: z.string().nullable(),
    /** Cash paid, in dollars a share. Null if no cash is paid. */
    cash: decimalString.nullable(),
    /** New shares received for each `old_shares`. Null if no shares are received. */
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

export const MAX_CORPORATE_ACTIONS = 100;

export const watchlistSchema = z.lazy(() =>
  z.object({
    symbols: z.array(z.string()),
    updated_at: z.string().nullable(),
  }),
);
export type Watchlist = z.output<typeof watchlistSchema>;

export const MAX_WATCHLIST_SYMBOLS = 100;
