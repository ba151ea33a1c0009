import { z } from 'zod';
import { decimalString } from './decimal.ts';

/** An option contract as the broker lists it: what `symbol` (OCC) says, spelt out, and what is known of it beside. */
export const listedContractSchema = z.lazy(() =>
  z.object({
    symbol: z.string(),
    underlying: z.string(),
    /** The last day it can be exercised, in New York. */
    expiry: z.iso.date(),
    right: z.enum(['call', 'put']),
    /** Dollars a share. */
    strike: decimalString,
    style: z.enum(['american', 'european']),
    /** Shares that one contract is about. */
    multiplier: decimalString,
    tradable: z.boolean(),
    /** Contracts that stand open in the market; null where nobody tells. */
    open_interest: decimalString.nullable(),
    /** The last closing price, dollars a share; null where it never traded. */
    close_price: decimalString.nullable(),
  }),
);
export type ListedContract = Readonly<z.output<typeof listedContractSchema>>;

/** The most contracts of one answer. */
export const MOST_CONTRACTS = 200;
