import type { CommercialApiKeyAuth, Snaptrade } from 'snaptrade-typescript-sdk';
import { createSendOnce } from '../rest-client.ts';
import type { StoredCredentialsOf } from '../stored-kinds.ts';

export type SnaptradeCredentials = StoredCredentialsOf<'snaptrade_user' | 'snaptrade_personal'>;

export interface SnaptradeOptions {
  readonly environment: 'paper' | 'live';
  readonly url: string;
  readonly simulated: boolean;
  readonly fetch: typeof fetch;
  readonly timeoutMs: number;
  readonly now: () => number;
}

/** The SDK's client. A personal key has only one user, so its requests don't name the user. */
export type Client = Snaptrade<CommercialApiKeyAuth>;

export interface SnaptradeUser {
  readonly userId: string;
  readonly userSecret: string;
  readonly accountId: string;
}

export function snaptradeUserOf(credentials: SnaptradeCredentials): SnaptradeUser {
  const { accountId } = credentials;
  if (!('userId' in credentials)) return { accountId } as SnaptradeUser;
  const { userId, userSecret } = credentials;
  return { userId, userSecret, accountId };
}

interface Prepared {
  readonly url?: string;
  readonly method?: string;
  readonly headers?: object;
  readonly data?: unknown;
}

/**
 * Creates the client. The SDK builds and signs requests, but we send them: the SDK would retry after 429, and its
 * errors would contain the user's secret, which is in each URL. It does neither for errors that are not axios's, such
 * as ours.
 */
export async function snaptradeClient(
  { url, fetch, timeoutMs }: Pick<SnaptradeOptions, 'url' | 'fetch' | 'timeoutMs'>,
  credentials: SnaptradeCredentials,
): Promise<Client> {
  const { Snaptrade, SnaptradeAuth } = await import('snaptrade-typescript-sdk');
  const { clientId, consumerKey } = credentials;
  const auth =
    'userId' in credentials
      ? SnaptradeAuth.commercialApiKey({ clientId, consumerKey })
      : SnaptradeAuth.personalApiKey({ clientId, consumerKey });
  const send = createSendOnce({ fetch, timeoutMs });
  const adapter = async (config: Prepared) => {
    const { method = 'get', data } = config;
    // The SDK signs for its own address only, so requests are redirected to the configured one.
    const { pathname, search } = new URL(config.url ?? '');
    const address = `${url.replace(/\/+$/, '')}${pathname}${search}`;
    const headers = Object.fromEntries(
      Object.entries({ ...config.headers }).filter(([, value]) => typeof value === 'string'),
    ) as Record<string, string>;
    const answer = await send(address, {
      method: method.toUpperCase(),
      headers,
      body: typeof data === 'string' && method.toUpperCase() !== 'GET' ? data : undefined,
    });
    return { data: answer, status: 200, statusText: '', headers: {}, config, request: undefined };
  };
  return new Snaptrade({ auth, baseOptions: { adapter } }) as Client;
}
