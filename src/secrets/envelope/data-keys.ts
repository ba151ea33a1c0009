import { randomBytes } from 'node:crypto';
import { TradeAgentError } from '../../errors/errors.ts';
import type { Clock } from '../../machine/clock.ts';
import type { Kms } from '../kms/kms.ts';

/** A tenant's stored data key. It is wrapped, so it is useless without the KMS. */
export interface WrappedDataKey {
  /** The key's version, which starts at 1 for each tenant. */
  readonly version: number;
  readonly wrapped: string;
}

/** The stored data keys of tenants. Each method runs in its own transaction. */
export interface DataKeyRows {
  newest(tenant: string): Promise<WrappedDataKey | undefined>;
  find(tenant: string, version: number): Promise<WrappedDataKey | undefined>;
  /** Returns all keys of a tenant, oldest first. */
  all(tenant: string): Promise<WrappedDataKey[]>;
  /** Adds a key. @returns false if the tenant already has a key of this version, which stays unchanged */
  add(tenant: string, key: WrappedDataKey): Promise<boolean>;
  /** Replaces a wrapped key unless the key has changed since it was read. @returns false if the key has changed */
  replace(tenant: string, read: WrappedDataKey, wrapped: string): Promise<boolean>;
}

/** The data keys that seal each tenant's secrets. The KMS is never called during a transaction. */
export type DataKeys = ReturnType<typeof createDataKeys>;

/** How long a revocation of KMS access can go unnoticed, in milliseconds. A shorter time would cause more KMS calls. */
const CACHED_KEY_MS = 5 * 60_000;
const MAX_CACHED_KEYS = 1_000;

export function createDataKeys(kms: Kms, rows: DataKeyRows, clock: Pick<Clock, 'now'>) {
  /** Unwrapped keys, oldest first. Callers that need the same key while the KMS unwraps it share one KMS call. */
  const kept = new Map<string, { readonly key: Promise<Buffer>; readonly until: number }>();

  const unwrapped = async (tenant: string, { version, wrapped }: WrappedDataKey): Promise<Buffer> => {
    const context = keyContext(tenant, version);
    const found = kept.get(context);
    if (found !== undefined && clock.now() < found.until) return await found.key;
    const key = kms.unwrap(wrapped, context);
    kept.delete(context);
    kept.set(context, { key, until: clock.now() + CACHED_KEY_MS });
    if (kept.size > MAX_CACHED_KEYS) kept.delete(kept.keys().next().value as string);
    // After a failure, the next caller asks the KMS again.
    key.catch(() => kept.delete(context));
    return await key;
  };

  const requireNewest = async (tenant: string): Promise<WrappedDataKey> => {
    const newest = await rows.newest(tenant);
    if (newest !== undefined) return newest;
    // If another process was faster, that process's key is used.
    await rows.add(tenant, { version: 1, wrapped: await kms.wrap(randomBytes(32), keyContext(tenant, 1)) });
    return (await rows.newest(tenant)) ?? missingDataKey(tenant);
  };

  return {
    /** Returns the newest key (32 bytes, for AES-256), with which secrets are sealed. Creates a tenant's first key. */
    async newest(tenant: string): Promise<{ readonly version: number; readonly key: Buffer }> {
      const newest = await requireNewest(tenant);
      return { version: newest.version, key: await unwrapped(tenant, newest) };
    },
    /** Returns the key of this version. @throws {TradeAgentError} `credential_store_unavailable` if it is missing */
    async find(tenant: string, version: number): Promise<Buffer> {
      const found = kept.get(keyContext(tenant, version));
      if (found !== undefined && clock.now() < found.until) return await found.key;
      return await unwrapped(tenant, (await rows.find(tenant, version)) ?? missingDataKey(tenant));
    },
    /**
     * Wraps a tenant's keys again with the newest wrapping key, so that older wrapping keys can be deleted.
     * @returns the number of rewrapped keys
     */
    async rewrap(tenant: string): Promise<number> {
      let count = 0;
      for (const read of await rows.all(tenant)) {
        const context = keyContext(tenant, read.version);
        const wrapped = await kms.wrap(await kms.unwrap(read.wrapped, context), context);
        if (await rows.replace(tenant, read, wrapped)) count += 1;
      }
      return count;
    },
  };
}

/** Returns the context of a wrapped key, so that the key can be unwrapped only for this tenant and version. */
function keyContext(tenant: string, version: number): string {
  return JSON.stringify(['trade-agent.data-key/1', tenant, version]);
}

function missingDataKey(tenant: string): never {
  throw new TradeAgentError('credential_store_unavailable', `a data key of ${tenant} is gone`, {
    hint: 'Nothing was changed. Restore the database: the secrets that this key encrypted can’t be decrypted without it.',
  });
}
