import { isTradeAgentError, TradeAgentError } from '../../errors/errors.ts';
import { makeKeyAt, readKeyFile, type ShownKey, shownKey } from '../gateway/key-file.ts';
import { readServerSettings, type ServerPlaces, serverKeyFile } from './server-places.ts';

export interface ServerKey extends ShownKey {
  readonly status: 'made' | 'in_use';
  /** Where its private half is. */
  readonly file: string;
}

/**
 * Makes or shows the key of the server's client at the identity provider.
 * @throws {TradeAgentError} `usage` where there is one already; `invalid_config` where there is none to show
 */
export async function serverKey(
  places: ServerPlaces,
  { show, kty }: { readonly show: boolean; readonly kty: 'EC' | 'RSA' },
): Promise<ServerKey> {
  const settings = await readServerSettings(places.config).catch((error: unknown) => {
    // Before there are settings there is a key, which they are written with.
    if (isTradeAgentError(error)) return undefined;
    throw error;
  });
  const file = serverKeyFile(places, settings?.key_file);
  if (!show)
    return { status: 'made', file, ...(await makeKeyAt(file, kty, '--show prints its public half.')) };
  const key = readKeyFile(file);
  if (key !== undefined) return { status: 'in_use', file, ...shownKey(key) };
  throw new TradeAgentError('invalid_config', `the server has no key: ${file} is not there`, {
    hint: 'Make one with "trade-agent server key".',
    details: { file },
  });
}
