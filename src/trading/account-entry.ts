import { z } from 'zod';
import { environments } from './order.ts';

/** One of a person's accounts, as `GET /v1/accounts` has it: nothing of what is in it. */
export const accountEntrySchema = z.lazy(() =>
  z.object({
    /** Its number at the broker; null where the broker could not be asked for it now. */
    account: z.string().nullable(),
    /** What the broker is called in the gateway's settings. */
    broker: z.string(),
    /** For people: `Alpaca`, or what its owner calls it. */
    label: z.string(),
    environment: z.enum(environments),
    /** Whether it is the one that is meant where none is named. */
    default: z.boolean(),
    /** Why the broker could not be asked: the problem's code. */
    problem: z.string().optional(),
  }),
);
export type AccountEntry = z.output<typeof accountEntrySchema>;

export const accountEntriesSchema = z.lazy(() => z.object({ accounts: z.array(accountEntrySchema) }));

/** Which account a row of several is of. */
export type AccountName = Pick<AccountEntry, 'account' | 'broker' | 'label'>;

/** What is said for all of a person's accounts, in the place of one's name. */
export const ALL_ACCOUNTS = 'all';

/**
 * Whether an account is called so: by its number, its broker's name, or what its owner calls it; in any case of letters, and
 * with or without the word "account".
 */
export function isAccountCalled({ account, broker, label }: AccountEntry, name: string): boolean {
  const bare = (text: string) =>
    text
      .trim()
      .toLowerCase()
      .replace(/\s+account$/, '');
  const wanted = bare(name);
  return wanted !== '' && [account ?? '', broker, label].some((one) => bare(one) === wanted);
}
