import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { calculateJwkThumbprint, exportJWK, exportSPKI, generateKeyPair, type JWK } from 'jose';
import { createPrivateFile, readPrivateFile } from '../../auth/private-file.ts';
import { parseYaml } from '../../auth/yaml-file.ts';
import { type GatewaySettings, gatewaySettingsSchema } from '../../gateway/gateway-settings.ts';
import { TradeAgentError } from '../../trading/errors.ts';

const LONGEST_KEY_FILE = 16 * 1024;

export const keyFile = (folder: string) => join(folder, 'key.json');

/** @throws {TradeAgentError} `invalid_config` */
export async function readSettings(file: string): Promise<GatewaySettings> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new TradeAgentError(
      'invalid_config',
      code === 'ENOENT' ? `there is no gateway configuration ${file}` : `${file} can't be read (${code})`,
      { hint: 'docs/GATEWAY.md says what it holds; name another with --config.', details: { file } },
    );
  }
  return await parseYaml(gatewaySettingsSchema, text, file);
}

/**
 * The exchange client's private key.
 * @throws {TradeAgentError} `invalid_config`
 */
export function readKey(folder: string): JWK {
  const file = keyFile(folder);
  const unusable = (why: string) =>
    new TradeAgentError('invalid_config', `${file} can't be used: ${why}`, { details: { file } });
  const text = readPrivateFile(file, LONGEST_KEY_FILE, unusable);
  if (text === undefined) {
    throw new TradeAgentError('invalid_config', `the gateway has no key: ${file} is not there`, {
      hint: 'Make one with "trade-agent gateway key", and register what it prints at the identity provider.',
      details: { file },
    });
  }
  let key: unknown;
  try {
    key = JSON.parse(text);
  } catch {
    throw unusable('it is not JSON');
  }
  if ((key as Partial<JWK> | null)?.d === undefined) throw unusable('it holds no private key (JWK)');
  return key as JWK;
}

/**
 * Makes the exchange client's key where there is none yet.
 * @param kty `RSA` (RS256) for providers that take no ES256. Its JWK has no `kid`: Auth0 gives keys ids of its own.
 * @returns the public half, as JWK (RFC 7517) and PEM (SPKI)
 * @throws {TradeAgentError} `usage` where there is one
 */
export async function makeKey(
  folder: string,
  kty: 'EC' | 'RSA',
): Promise<{ jwk: Record<string, string>; pem: string }> {
  const alg = kty === 'EC' ? 'ES256' : 'RS256';
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  const shown: JWK = { ...(await exportJWK(publicKey)), alg, use: 'sig' };
  const kid = kty === 'EC' ? { kid: await calculateJwkThumbprint(shown) } : {};
  const kept: JWK = { ...(await exportJWK(privateKey)), alg, use: 'sig', ...kid };
  if (!createPrivateFile(keyFile(folder), `${JSON.stringify(kept)}\n`)) {
    throw new TradeAgentError('usage', `there is a key already: ${keyFile(folder)}`, {
      hint: 'Move it away first; the identity provider must then be told the new one.',
    });
  }
  return { jwk: { ...shown, ...kid } as Record<string, string>, pem: await exportSPKI(publicKey) };
}
