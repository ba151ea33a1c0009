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

/** The SDK's client. Requests with a personal key don't name the user, because the key belongs to a single user. */
export type SnaptradeClient = Snaptrade<CommercialApiKeyAuth>;

export interface SnaptradeUser {
  readonly userId: string;
  readonly userSecret: string;
  readonly accountId: string;
}

export function toSnaptradeUser(credentials: SnaptradeCredentials): SnaptradeUser {
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
 * Creates a client whose requests the SDK builds and signs, but our adapter sends. If axios sent the requests, the SDK
 * would retry after 429, and its errors would contain the URL, which contains the user's secret. The SDK passes our own
 * errors on unchanged.
 */
export async function createSnaptradeClient(
  { url, fetch, timeoutMs }: Pick<SnaptradeOptions, 'url' | 'fetch' | 'timeoutMs'>,
  credentials: SnaptradeCredentials,
): Promise<SnaptradeClient> {
  const { Snaptrade, SnaptradeAuth } = await import('snaptrade-typescript-sdk');
  const { clientId, consumerKey } = credentials;
  const auth =
    'userId' in credentials
      ? SnaptradeAuth.commercialApiKey({ clientId, consumerKey })
      : SnaptradeAuth.personalApiKey({ clientId, consumerKey });
  const send = createSendOnce({ fetch, timeoutMs });
  const adapter = async (config: Prepared) => {
    const { method = 'get', data } = config;
    // The SDK signs requests only for its own address, so they are redirected to the configured address here.
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
  return new Snaptrade({ auth, baseOptions: { adapter } }) as SnaptradeClient;
}
