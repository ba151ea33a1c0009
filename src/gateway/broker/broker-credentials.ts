import type { Caller } from '../auth/caller.ts';
import type { StoredCredentials } from './stored-kinds.ts';

/** A token from the token exchange, or the credentials that the gateway stores for the owner. */
export type AccountCredentials = { readonly accessToken: string } | StoredCredentials;

/** Provides credentials for the caller's account at the broker. Credentials never leave the gateway. */
export interface BrokerCredentials {
  /** @throws {HttpProblem} 409 `account_not_connected`, 503 `provider_unreachable`, 502 `token_exchange_failed` */
  credentialsFor(caller: Pick<Caller, 'sub' | 'by' | 'accessToken' | 'mandate'>): Promise<AccountCredentials>;
  /** @throws {HttpProblem} the same problems as `credentialsFor`, except `account_not_connected` */
  isConnected(caller: Pick<Caller, 'sub' | 'by' | 'accessToken'>): Promise<boolean>;
  /** Returns the account's number if it is known without a request to the broker. */
  accountOf?(caller: Pick<Caller, 'sub'>): Promise<string | undefined>;
  /** Removes these credentials from the cache or, if `credentials` is undefined, all of this person's credentials. */
  forget(sub: string, credentials?: AccountCredentials): void;
}
