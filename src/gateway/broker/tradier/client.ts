import { z } from 'zod';
import { HttpProblem } from '../../../trading/http-problem.ts';
import type { AccountCredentials } from '../broker-credentials.ts';
import { createRestClient, type RestClient, type RestRequest } from '../rest-client.ts';
import { findErrorMessages, TradierRejectionError } from './failure.ts';

export interface TradierOptions {
  readonly environment: 'paper' | 'live';
  readonly base: string;
  readonly simulated: boolean;
  readonly fetch: typeof fetch;
  readonly timeoutMs: number;
  readonly now: () => number;
}

/** Accepts a list or a single element, because Tradier does not put a single element in a list. */
export const oneOrMoreSchema = <T extends z.ZodType>(row: T) =>
  z.union([z.array(row), row.transform((one) => [one])]) as unknown as z.ZodType<z.output<T>[]>;

/** Parses a list such as `{positions: {position: …}}`. Tradier writes an empty list as "null" or null. */
export const wrappedListSchema = <T extends z.ZodType>(outer: string, inner: string, row: T) =>
  z
    .object({ [outer]: z.union([z.object({ [inner]: oneOrMoreSchema(row) }), z.literal('null'), z.null()]) })
    .transform((answer): z.output<T>[] => {
      const within = answer[outer] as Record<string, z.output<T>[]> | 'null' | null;
      return within === null || within === 'null' ? [] : (within[inner] ?? []);
    });

const profileAnswer = z.object({
  profile: z.object({
    account: oneOrMoreSchema(z.object({ account_number: z.string().regex(/^[A-Za-z0-9]{4,32}$/), status: z.string() })),
  }),
});

export interface TradierAccount {
  readonly number: string;
  /** Tradier's status, such as `active`. */
  readonly status: string;
}

/** Creates a client that throws for every response that contains `errors`, whatever its HTTP status. */
export function createTradierClient(
  { fetch, base, timeoutMs }: Pick<TradierOptions, 'fetch' | 'base' | 'timeoutMs'>,
  token: string,
): RestClient {
  const client = createRestClient({ fetch, base, timeoutMs, headers: { authorization: `Bearer ${token}` } });
  return async (path: string, request?: RestRequest) => {
    const answer = await client(path, request);
    const errors = findErrorMessages(answer);
    if (errors !== undefined) throw new TradierRejectionError(errors);
    return answer;
  };
}

export const getAccessToken = (credentials: AccountCredentials): string =>
  'accessToken' in credentials ? credentials.accessToken : 'token' in credentials ? credentials.token : '';

export async function readTradierAccounts(client: RestClient): Promise<TradierAccount[]> {
  const { profile } = profileAnswer.parse(await client('/user/profile'));
  return profile.account.map(({ account_number, status }) => ({ number: account_number, status }));
}

/** Returns the configured account, or the token's only account. @throws {HttpProblem} 409 `account_not_connected` */
export function selectTradierAccount(
  accounts: readonly TradierAccount[],
  credentials: AccountCredentials,
): TradierAccount {
  const number = 'accountNumber' in credentials ? credentials.accountNumber : undefined;
  const open = accounts.filter((account) => (number === undefined ? true : account.number === number));
  const [account, ...others] = open;
  if (account !== undefined && others.length === 0) return account;
  throw new HttpProblem(
    409,
    'account_not_connected',
    account === undefined
      ? 'the access token does not open this account'
      : 'the access token opens several accounts, and no account number is set',
    {
      hint: 'Enter the token and account number on the home’s own machine: "trade-agent home broker set".',
      members: { credentials: 'access_token' },
    },
  );
}
