import { z } from 'zod';
import type { Caller } from '../door/caller.ts';

/**
 * A key id and its secret, as a broker gives them out for one account. Both are sent as headers, so that anything but
 * visible ASCII is refused here, before a library could quote it in an error.
 */
export const keyPairSchema = z.strictObject({
  keyId: z.string().regex(/^[A-Za-z0-9_-]{4,128}$/, 'is no key id: letters, digits, "_" and "-" alone'),
  secret: z.string().regex(/^[\x21-\x7e]{8,256}$/, 'is no secret: 8 to 256 visible characters, no spaces'),
});
export type KeyPair = z.output<typeof keyPairSchema>;

/** What opens an account at a broker. */
export type AccountCredentials = { readonly accessToken: string } | KeyPair;

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
