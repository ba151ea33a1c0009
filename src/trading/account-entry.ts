import { z } from 'zod';
import { environments } from './order.ts';

/** One of a person's accounts in `GET /v1/accounts`, without balances or positions. */
export const accountEntrySchema = z.lazy(() =>
  z.object({
    /** The account's number. Null if the broker could not be reached. */
    account: z.string().nullable(),
    broker: z.string(),
    /** Display name: `Alpaca`, or the label that the owner chose. */
    label: z.string(),
    environment: z.enum(environments),
    default: z.boolean(),
    /** Problem code if the broker could not be reached. */
    problem: z.string().optional(),
  }),
);
export type AccountEntry = z.output<typeof accountEntrySchema>;

export const accountEntriesSchema = z.lazy(() => z.object({ accounts: z.array(accountEntrySchema) }));

export type AccountName = Pick<AccountEntry, 'account' | 'broker' | 'label'>;

export const ALL_ACCOUNTS = 'all';

/** Returns whether a name is the account's number, broker or label. Ignores case and a trailing "account". */
export function matchesAccountName({ account, broker, label }: AccountEntry, name: string): boolean {
  const bare = (text: string) =>
    text
      .trim()
      .toLowerCase()
      .replace(/\s+account$/, '');
  const wanted = bare(name);
  return wanted !== '' && [account ?? '', broker, label].some((one) => bare(one) === wanted);
}
