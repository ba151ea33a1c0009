import { randomBytes } from 'node:crypto';
import { TradeAgentError } from '../errors/errors.ts';
import type { CredentialStore } from './credential-store.ts';

/** Returns the key (32 bytes). The first process that needs the key creates it for all processes. */
export async function getOrCreateDatabaseKey(store: CredentialStore): Promise<Buffer> {
  const { database_key: kept } = await store.get(['database_key']);
  if (kept !== undefined) return parseKey(kept);
  return await store.exclusively('database-key', async () => {
    const { database_key: made } = await store.get(['database_key'], { fresh: true });
    if (made !== undefined) return parseKey(made);
    const key = randomBytes(32);
    await store.set({ database_key: key.toString('hex') });
    return key;
  });
}

function parseKey(text: string): Buffer {
  const key = Buffer.from(text, 'hex');
  if (key.length === 32) return key;
  throw new TradeAgentError('credential_store_unavailable', 'the key of the state database is damaged', {
    hint: 'Without it the stored threads can’t be read. Move state.db away to start over.',
  });
}
