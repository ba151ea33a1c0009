import { z } from 'zod';
import { TradeAgentError } from '../errors/errors.ts';
import { parseJson } from '../values/parse-json.ts';
import type { CredentialStore } from './credential-store.ts';

/** The key is sent only to the server for which it was stored, even if the configuration later names another server. */
const storedKeySchema = z.object({ url: z.string(), key: z.string() });

const MAX_KEY_LENGTH = 512;

/**
 * Stores the API key for a language model's server.
 * @param url the server's URL, as `modelUrl` (agent/model-server.ts) returns it
 * @throws {TradeAgentError} `usage` for a string that can't be a key; `credential_store_…`
 */
export async function storeModelKey(store: CredentialStore, url: string, key: string): Promise<void> {
  if (!/^[\x21-\x7e]+$/.test(key) || key.length > MAX_KEY_LENGTH) {
    throw new TradeAgentError('usage', 'this is not a valid API key', {
      hint: `An API key must be one line of 1 to ${MAX_KEY_LENGTH} printable characters without spaces. Nothing was changed.`,
    });
  }
  await store.set({ model_api_key: JSON.stringify({ url, key }) });
}

export async function loadModelKey(store: CredentialStore, url: string): Promise<string | undefined> {
  const { model_api_key: text } = await store.get(['model_api_key']);
  const stored = storedKeySchema.safeParse(parseJson(text)).data;
  return stored?.url === url ? stored.key : undefined;
}
