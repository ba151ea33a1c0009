import { randomBytes } from 'node:crypto';
import { TradeAgentError } from '../../errors/errors.ts';
import type { Clock } from '../../machine/clock.ts';
import type { Kms } from '../kms/kms.ts';

/** A tenant's data key as it is kept: wrapped, and worth nothing without the KMS. */
export interface WrappedKey {
  /** Counted from 1, each tenant's by themselves. */
  readonly version: number;
  readonly wrapped: string;
}

/** Where the data keys of tenants are kept. Each method is one unit of work. */
export interface DataKeyRows {
  newest(tenant: string): Promise<WrappedKey | undefined>;
  find(tenant: string, version: number): Promise<WrappedKey | undefined>;
  /** Oldest first. */
  all(tenant: string): Promise<WrappedKey[]>;
  /** @returns false where there is one of that version: it stays as it is */
  add(tenant: string, key: WrappedKey): Promise<boolean>;
  /** Puts it in place of what was read. @returns false where something else is there since */
  replace(tenant: string, read: WrappedKey, wrapped: string): Promise<boolean>;
}

/** Each tenant's keys, by which all of theirs is sealed. The KMS is asked with no transaction open. */
export type DataKeys = ReturnType<typeof createDataKeys>;

/** How long a KMS that was closed to us may go unnoticed; shorter costs a question to it for each use. */
const KEPT_MS = 5 * 60_000;
const MOST_KEPT = 1_000;

/** @param rows where wrapped keys are kept, the same for all processes */
export function createDataKeys(kms: Kms, rows: DataKeyRows, clock: Pick<Clock, 'now'>) {
  /** Oldest first. Whoever asks for the same while it is unwrapped waits for the one answer. */
  const kept = new Map<string, { readonly key: Promise<Buffer>; readonly until: number }>();

  const unwrapped = async (tenant: string, { version, wrapped }: WrappedKey): Promise<Buffer> => {
    const context = contextOf(tenant, version);
    const found = kept.get(context);
    if (found !== undefined && clock.now() < found.until) return await found.key;
    const key = kms.unwrap(wrapped, context);
    kept.delete(context);
    kept.set(context, { key, until: clock.now() + KEPT_MS });
    if (kept.size > MOST_KEPT) kept.delete(kept.keys().next().value as string);
    // The next one asks again.
    key.catch(() => kept.delete(context));
    return await key;
  };

  const requireNewest = async (tenant: string): Promise<WrappedKey> => {
    const newest = await rows.newest(tenant);
    if (newest !== undefined) return newest;
    // Where another process was first, its key is the one.
    await rows.add(tenant, { version: 1, wrapped: await kms.wrap(randomBytes(32), contextOf(tenant, 1)) });
    return (await rows.newest(tenant)) ?? gone(tenant);
  };

  return {
    /** What is sealed by now (32 bytes, for AES-256); made if the tenant has none. */
    async newest(tenant: string): Promise<{ readonly version: number; readonly key: Buffer }> {
      const newest = await requireNewest(tenant);
      return { version: newest.version, key: await unwrapped(tenant, newest) };
    },
    /** What was sealed by that version. @throws {TradeAgentError} `credential_store_unavailable` if it is gone */
    async find(tenant: string, version: number): Promise<Buffer> {
      const found = kept.get(contextOf(tenant, version));
      if (found !== undefined && clock.now() < found.until) return await found.key;
      return await unwrapped(tenant, (await rows.find(tenant, version)) ?? gone(tenant));
    },
    /** Wraps all of a tenant's by the newest wrapping key, after which an older one may go. @returns how many */
    async rewrap(tenant: string): Promise<number> {
      let count = 0;
      for (const read of await rows.all(tenant)) {
        const context = contextOf(tenant, read.version);
        const wrapped = await kms.wrap(await kms.unwrap(read.wrapped, context), context);
        if (await rows.replace(tenant, read, wrapped)) count += 1;
      }
      return count;
    },
  };
}

/** Authenticated with each wrapped key: one tenant's is no other's, and an older one not the newest. */
function contextOf(tenant: string, version: number): string {
  return JSON.stringify(['trade-agent.data-key/1', tenant, version]);
}

function gone(tenant: string): never {
  throw new TradeAgentError('credential_store_unavailable', `a data key of ${tenant} is gone`, {
    hint: 'Nothing was changed. Restore the database: what was sealed by that key stays sealed without it.',
  });
}
