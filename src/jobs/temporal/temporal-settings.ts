import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { z } from 'zod';
import { TradeAgentError } from '../../errors/errors.ts';
import { readPrivateFile } from '../../machine/private-file.ts';
import { isLoopback } from '../../net/secure-url.ts';
import { defined } from '../../values/defined.ts';
import type { ConnectionOptions } from './temporal-sdk.ts';

const file = z.string().min(1);

/** Temporal's address, and the names of the files with the credentials. Contains no secrets. */
export const temporalSettingsSchema = z
  .strictObject({
    address: z
      .string()
      .regex(/^(?:[\w.-]+|\[[\da-fA-F:.]+\]):\d{1,5}$/, 'must be HOST:PORT')
      .default('127.0.0.1:7233')
      .describe('`HOST:PORT` of Temporal’s frontend. TLS is the default unless the frontend runs on this machine.'),
    namespace: z
      .string()
      .regex(/^[\w.-]{1,255}$/, 'must be the name of a namespace')
      .default('default')
      .describe('An existing namespace. Several tenants may share a namespace.'),
    api_key_file: file.optional().describe('File that contains only an API key (Temporal Cloud). Mode 0600.'),
    tls: z
      .strictObject({
        ca_file: file
          .optional()
          .describe('PEM file of the authority that signed the server’s certificate, if it is not a public authority.'),
        cert_file: file.optional().describe("PEM of the client's certificate (mTLS)."),
        key_file: file.optional().describe('PEM of the client’s private key. Mode 0600.'),
        server_name: z
          .string()
          .min(1)
          .optional()
          .describe('The name in the server’s certificate, if it differs from the address.'),
      })
      .refine(({ cert_file, key_file }) => (cert_file === undefined) === (key_file === undefined), {
        error: 'must have both cert_file and key_file, or neither',
      })
      .optional()
      .describe('TLS settings. The default trusts public authorities and has no client certificate.'),
  })
  .refine(({ api_key_file, tls, address }) => !api_key_file || tls || !isLocalAddress(address), {
    error: 'api_key_file needs TLS: set tls',
  });
export type TemporalSettings = z.output<typeof temporalSettingsSchema>;

const MAX_KEY_BYTES = 64 * 1024;
const isLocalAddress = (address: string) => isLoopback(new URL(`http://${address}`));

/**
 * Returns the connection options. Reads the files with the credentials at each call.
 * @param folder the base of relative file names
 * @throws {TradeAgentError} `invalid_config` for a missing file, or a secret that others can read
 */
export function readTemporalConnectionOptions(settings: TemporalSettings, folder: string): ConnectionOptions {
  const { address, tls, api_key_file } = settings;
  const apiKey = api_key_file === undefined ? undefined : readSecret(resolve(folder, api_key_file)).trim();
  const options = { address, ...defined({ apiKey }) };
  if (tls === undefined) return { ...options, tls: !isLocalAddress(address) };
  const { ca_file, cert_file, key_file, server_name } = tls;
  return {
    ...options,
    tls: {
      ...(ca_file === undefined ? {} : { serverRootCACertificate: readPublicFile(resolve(folder, ca_file)) }),
      ...defined({ serverNameOverride: server_name }),
      ...(cert_file === undefined || key_file === undefined
        ? {}
        : {
            clientCertPair: {
              crt: readPublicFile(resolve(folder, cert_file)),
              key: Buffer.from(readSecret(resolve(folder, key_file))),
            },
          }),
    },
  };
}

function readSecret(path: string): string {
  const unusable = (why: string) =>
    new TradeAgentError('invalid_config', `${path} can't be used: ${why}`, { details: { file: path } });
  const secret = readPrivateFile(path, MAX_KEY_BYTES, unusable);
  if (secret === undefined || secret.trim() === '') throw unusable('it is missing or empty');
  return secret;
}

function readPublicFile(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    const { code = 'unknown error' } = cause as NodeJS.ErrnoException;
    throw new TradeAgentError('invalid_config', `${path} can't be read (${code})`, {
      details: { file: path },
      cause,
    });
  }
}
