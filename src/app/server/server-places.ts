import { resolve } from 'node:path';
import type { JWK } from 'jose';
import { readNamedFile } from '../../config/named-file.ts';
import { parseYaml } from '../../config/yaml-file.ts';
import { TradeAgentError } from '../../errors/errors.ts';
import { type ServerSettings, serverSettingsSchema } from '../../server/settings/server-settings.ts';
import { readKeyFile } from '../gateway/key-file.ts';

/** The folder that a server and its workers share, or have a copy of each, and the file that says what they serve. */
export interface ServerPlaces {
  readonly home: string;
  readonly config: string;
}

/** @throws {TradeAgentError} `invalid_config` */
export async function readServerSettings(file: string): Promise<ServerSettings> {
  const hint = 'docs/operate/SERVER.md says what it holds; name another with --config.';
  return await parseYaml(serverSettingsSchema, readNamedFile(file, 'server configuration', hint), file);
}

/** Where the private key of the server's client is; `key.json` in the folder where nothing else is said. */
export const serverKeyFile = ({ home }: ServerPlaces, name = 'key.json') => resolve(home, name);

/** @throws {TradeAgentError} `invalid_config` where there is none */
export function readServerKey(places: ServerPlaces, { key_file }: Pick<ServerSettings, 'key_file'>): JWK {
  const file = serverKeyFile(places, key_file);
  const key = readKeyFile(file);
  if (key !== undefined) return key;
  throw new TradeAgentError('invalid_config', `the server has no key: ${file} is not there`, {
    hint: 'Make one with "trade-agent server key", and register what it prints at the identity provider.',
    details: { file },
  });
}
