/** Everything secret that is kept, one value each. */
export const credentialNames = [
  /** Who is signed in, where, and through which client; not secret by itself. */
  'session',
  'refresh_token',
  /** The read-only access token, so that a command needs no network to start. */
  'access_token',
  /** ES256 private key (JWK) that access and refresh tokens are bound to. */
  'dpop_key',
  /** ES256 private key (JWK) of the client by which a company's people sign in. */
  'company_key',
  /** The key of the state database, 32 bytes as hex. */
  'database_key',
  'model_api_key',
  /** What notices are sent with: passwords, tokens and signing keys, by the channel's name. */
  'notice_secrets',
  /** The key of what other people's MCP servers are spoken to with, 32 bytes as hex. */
  'mcp_key',
] as const;
export type CredentialName = (typeof credentialNames)[number];

/** What a server keeps of a person beside these, in its database alone. */
export const servedNames = [
  /** What the person's last request brought: an access token for the server, which is exchanged (RFC 8693). */
  'subject_token',
] as const;
export type ServedName = CredentialName | (typeof servedNames)[number];

/** Characters a value may have at most, but in a database: Windows takes 2,560 bytes of UTF-16. */
export const MAX_VALUE_LENGTH = 1200;

/** What the store must hold for a write to go ahead: `undefined` means that the name must be absent. */
export type Expected<Name extends string = CredentialName> = Partial<Record<Name, string | undefined>>;

/** What a lock keeps apart: two processes that refresh, that register, that make a key. */
export const lockPurposes = ['session', 'database-key', 'mcp'] as const;
export type LockPurpose = (typeof lockPurposes)[number];

/**
 * One profile's secrets. Every method may throw {@link TradeAgentError} `credential_store_unavailable` or
 * `credential_store_locked`; an entry that should be there and can't be read is never reported as absent.
 * @example
 * ```ts
 * import type { CredentialStore } from './credential-store.ts';
 *
 * // Whatever another process has put there since it was read stays.
 * export async function replaceKey(store: CredentialStore, made: (old: string | undefined) => string): Promise<boolean> {
 *   const { model_api_key } = await store.get(['model_api_key'], { fresh: true });
 *   return await store.set({ model_api_key: made(model_api_key) }, { model_api_key });
 * }
 * ```
 */
export interface CredentialStore<Name extends string = CredentialName> {
  readonly kind: 'keychain' | 'file' | 'database';
  /** Something to tell the person, once: set by the opening that creates a credential file. */
  readonly notice: string | undefined;
  /** @param options.fresh skips what was read ahead ({@link prefetchCredentials}) */
  get<N extends Name>(
    names: readonly N[],
    options?: { fresh?: boolean },
  ): Promise<Record<N, string | undefined>>;
  /** Writes all values, unless the store no longer holds what is `expected`: then nothing, and the answer is false. */
  set(values: Partial<Record<Name, string>>, expected?: Expected<Name>): Promise<boolean>;
  /** As `set`, for removal. */
  delete(names: readonly Name[], expected?: Expected<Name>): Promise<boolean>;
  /**
   * Asks for whatever the store needs to be read and written, a passphrase that is: before a screen takes the terminal.
   * @throws {TradeAgentError} `credential_store_locked`
   */
  unlock(): Promise<void>;
  /** Removes everything, and that anything was ever here. */
  erase(): Promise<void>;
  /** Writes, reads and removes a trial value: what can't be kept is better known before a login than after. */
  probe(): Promise<void>;
  /**
   * Runs `work` while no other process does the same for this profile.
   * @throws {TradeAgentError} `busy` when the lock isn't free in time
   */
  exclusively<T>(purpose: LockPurpose, work: () => Promise<T>, signal?: AbortSignal): Promise<T>;
}
