import { z } from 'zod';
import { decimalString } from './decimal.ts';

export const listedContractSchema = z.lazy(() =>
  z.object({
    symbol: z.string(),
    underlying: z.string(),
    expiry: z.iso.date(),
    right: z.enum(['call', 'put']),
    strike: decimalString,
    style: z.enum(['american', 'european']),
    multiplier: decimalString,
    tradable: z.boolean(),
    open_interest: decimalString.nullable(),
    /** The last closing price, in dollars a share. Null if the contract was never traded. */
    close_price: decimalString.nullable(),
  }),
);
export type ListedContract = Readonly<z.output<typeof listedContractSchema>>;

export const MAX_LISTED_CONTRACTS = 200;
