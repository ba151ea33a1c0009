import type { Caller } from '../door/caller.ts';
import type { KeptCredentials } from './kept-kinds.ts';

/** What opens an account at a broker: a token got in exchange for the caller's, or what they gave of their own. */
export type AccountCredentials = { readonly accessToken: string } | KeptCredentials;

/** Gets what opens the caller's account at the broker. It never leaves the gateway. */
export interface BrokerCredentials {
  /**
   * @throws {Refusal} 409 `account_not_connected`, and what the one who is asked for them gives rise to: 503
   *   `provider_unreachable`, 502 `token_exchange_failed`
   */
  credentialsFor(caller: Pick<Caller, 'sub' | 'by' | 'accessToken' | 'mandate'>): Promise<AccountCredentials>;
  /**
   * Whether the caller has an account there now.
   * @throws {Refusal} as `credentialsFor`, but for `account_not_connected`
   */
  isConnected(caller: Pick<Caller, 'sub' | 'by' | 'accessToken'>): Promise<boolean>;
  /** The account's number, where it is known without asking the broker. */
  accountOf?(caller: Pick<Caller, 'sub'>): Promise<string | undefined>;
  /** Told of what the broker no longer takes; or that whatever is at hand of this person counts no more. */
  forget(sub: string, credentials?: AccountCredentials): void;
}
