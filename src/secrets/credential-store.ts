export const credentialNames = [
  /** The signed-in person, the provider and the client. Not secret. */
  'session',
  'refresh_token',
  /** The read-only access token, stored so that a command can start without the network. */
  'access_token',
  /** ES256 private key (JWK) that access and refresh tokens are bound to. */
  'dpop_key',
  /** ES256 private key (JWK) of the client through which people sign in with their company. */
  'company_key',
  /** Encryption key of the state database, 32 bytes in hex. */
  'database_key',
  'model_api_key',
  /** Passwords, tokens and signing keys for sending notices, by channel name. */
  'notice_secrets',
  /** Key that encrypts the credentials for third-party MCP servers, 32 bytes in hex. */
  'mcp_key',
] as const;
export type CredentialName = (typeof credentialNames)[number];

export const serverOnlyCredentialNames = [
  /** The access token of the person's latest request to the server, for token exchange (RFC 8693). */
  'subject_token',
] as const;
export type ServerCredentialName = CredentialName | (typeof serverOnlyCredentialNames)[number];

/** Maximum length of a value in characters. Windows accepts 2,560 bytes of UTF-16; databases accept longer values. */
export const MAX_CREDENTIAL_LENGTH = 1200;

/** Values that the store must already have for a write to take effect. `undefined`: the name must be absent. */
export type ExpectedValues<Name extends string = CredentialName> = Partial<Record<Name, string | undefined>>;

/** Purposes of a lock: refreshing a session, creating the database key, using credentials of MCP servers. */
export const lockPurposes = ['session', 'database-key', 'mcp'] as const;
export type LockPurpose = (typeof lockPurposes)[number];

/**
 * One profile's secrets. Every method may throw {@link TradeAgentError} `credential_store_unavailable` or
 * `credential_store_locked`. If an entry should exist but can't be read, methods throw: they never report it as absent.
 * @example
 * ```ts
 * import type { CredentialStore } from './credential-store.ts';
 *
 * // Does not overwrite what another process has stored since the read.
 * export async function replaceKey(store: CredentialStore, made: (old: string | undefined) => string): Promise<boolean> {
 *   const { model_api_key } = await store.get(['model_api_key'], { fresh: true });
 *   return await store.set({ model_api_key: made(model_api_key) }, { model_api_key });
 * }
 * ```
 */
export interface CredentialStore<Name extends string = CredentialName> {
  readonly kind: 'keychain' | 'file' | 'database';
  /** A message to the person, shown once, when a new credential file is created. */
  readonly notice: string | undefined;
  /** Reads values. @param options.fresh asks the store even for prefetched values ({@link prefetchCredentials}) */
  get<N extends Name>(names: readonly N[], options?: { fresh?: boolean }): Promise<Record<N, string | undefined>>;
  /** Writes all values if the store still has the `expected` values. Otherwise writes nothing and returns false. */
  set(values: Partial<Record<Name, string>>, expected?: ExpectedValues<Name>): Promise<boolean>;
  /** Like `set`, but removes values. */
  delete(names: readonly Name[], expected?: ExpectedValues<Name>): Promise<boolean>;
  /**
   * Unlocks the store before a full-screen view takes over the terminal, asking the person for a passphrase if needed.
   * @throws {TradeAgentError} `credential_store_locked`
   */
  unlock(): Promise<void>;
  /** Removes all values and the store's own files. */
  erase(): Promise<void>;
  /** Writes, reads and removes a test value, so that an unusable store is noticed before a login. */
  probe(): Promise<void>;
  /**
   * Runs `work` under this profile's lock for this purpose, so that only one process does the work at a time.
   * @throws {TradeAgentError} `busy` if the lock does not become free in time
   */
  exclusively<T>(purpose: LockPurpose, work: () => Promise<T>, signal?: AbortSignal): Promise<T>;
}
