import { resolve } from 'node:path';
import { z } from 'zod';
import { TradeAgentError } from '../../errors/errors.ts';
import { readPrivateFile } from '../../machine/private-file.ts';
import type { AccessStore } from '../../store/access-store.ts';
import { secureUrlSchema } from '../settings/common-settings.ts';
import { createAuthzenRelations } from './authzen.ts';
import { createEmbeddedRelations } from './embedded.ts';
import { createOpenFgaRelations } from './openfga.ts';
import type { Relations } from './relations.ts';
import { cachedTokenCredential, presharedKeyCredential, type RelationsCredential } from './relations-client.ts';

const baseAddress = secureUrlSchema.refine((text) => !/[?#]/.test(text), 'must have neither a query nor a fragment');

/** The name of a file or environment variable with a secret. Settings and command lines never contain the secret. */
const secretFile = z.string().min(1);
const secretVariable = z.string().regex(/^[A-Z][A-Z0-9_]*$/, 'must be the name of an environment variable');

const server = {
  url: baseAddress,
  /** File that contains the preshared key: a path, or a name in the gateway's folder. */
  key_file: secretFile.optional(),
  key_env: secretVariable.optional(),
};

/** The `relations` setting of `gateway.yaml`. */
export const relationsSchema = z
  .discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('embedded') }),
    z.strictObject({
      kind: z.literal('openfga'),
      ...server,
      store: z.string().regex(/^[0-9A-HJKMNP-TV-Z]{26}$/, 'must be a store ID of 26 characters'),
      model: z.string().regex(/^[0-9A-HJKMNP-TV-Z]{26}$/, 'must be a model ID of 26 characters'),
      /** Client credentials, used instead of a key for Auth0 FGA. */
      client_credentials: z
        .strictObject({
          token_url: secureUrlSchema.default('https://auth.fga.dev/oauth/token'),
          client_id: z.string().min(1),
          client_secret_file: secretFile,
          /** Default: the base address with a trailing slash. */
          audience: z.string().min(1).optional(),
        })
        .optional(),
    }),
    z.strictObject({ kind: z.literal('authzen'), ...server }),
  ])
  .superRefine((settings, context) => {
    if (settings.kind === 'embedded') return;
    const ways = [
      settings.key_file,
      settings.key_env,
      settings.kind === 'openfga' ? settings.client_credentials : undefined,
    ].filter((way) => way !== undefined);
    if (ways.length <= 1) return;
    context.addIssue({
      code: 'custom',
      path: ['key_file'],
      message: 'set only one of key_file, key_env and client_credentials',
    });
  });
type RelationsSettings = z.output<typeof relationsSchema>;

/** The `relations` settings, with the secrets read from their files and environment variables. */
export type RelationsOptions =
  | { readonly kind: 'embedded' }
  | {
      readonly kind: 'openfga';
      readonly url: string;
      readonly store: string;
      readonly model: string;
      readonly secret: Secret;
    }
  | { readonly kind: 'authzen'; readonly url: string; readonly secret: Secret };

type Secret =
  | { readonly key: string | undefined }
  | {
      readonly tokenUrl: string;
      readonly clientId: string;
      readonly clientSecret: string;
      readonly audience: string;
    };

/** @throws {TradeAgentError} `invalid_config` if a secret is missing, or if other users can read its file */
export function readRelationsOptions(settings: RelationsSettings, folder: string): RelationsOptions {
  if (settings.kind === 'embedded') return settings;
  const { kind } = settings;
  const url = settings.url.replace(/\/+$/, '');
  if (kind === 'openfga' && settings.client_credentials !== undefined) {
    const { token_url, client_id, client_secret_file, audience } = settings.client_credentials;
    const secret = {
      tokenUrl: token_url,
      clientId: client_id,
      clientSecret: secretIn(resolve(folder, client_secret_file)),
      audience: audience ?? `${url}/`,
    };
    return { kind, url, store: settings.store, model: settings.model, secret };
  }
  const secret = { key: keyOf(settings, folder) };
  return kind === 'openfga'
    ? { kind, url, store: settings.store, model: settings.model, secret }
    : { kind, url, secret };
}

function keyOf(
  { key_file, key_env }: { readonly key_file?: string | undefined; readonly key_env?: string | undefined },
  folder: string,
): string | undefined {
  if (key_file !== undefined) return secretIn(resolve(folder, key_file));
  if (key_env === undefined) return undefined;
  return requireSecret(process.env[key_env], `the environment variable ${key_env}`);
}

const LONGEST_SECRET = 4096;

function secretIn(file: string): string {
  const unusable = (why: string) =>
    new TradeAgentError('invalid_config', `${file} can't be used: ${why}`, {
      hint: 'The file contains a secret, so only its owner may have access to it.',
      details: { file },
    });
  return requireSecret(readPrivateFile(file, LONGEST_SECRET, unusable), file);
}

function requireSecret(text: string | undefined, place: string): string {
  const secret = text?.trim();
  if (secret !== undefined && /^[\x21-\x7e]+$/.test(secret)) return secret;
  throw new TradeAgentError('invalid_config', `${place} contains no key`, {
    hint: 'Store only the key there. "relations" in gateway.yaml names the file or variable.',
  });
}

export function createRelations(
  options: RelationsOptions,
  parts: {
    readonly store: Pick<AccessStore, 'listByAccount'>;
    readonly fetch: typeof fetch;
    readonly now: () => number;
  },
): Relations {
  if (options.kind === 'embedded') return createEmbeddedRelations(parts.store);
  const { url, secret } = options;
  const elsewhere = { url, credential: credentialOf(secret, parts), fetch: parts.fetch };
  if (options.kind === 'authzen') return createAuthzenRelations(elsewhere);
  return createOpenFgaRelations({ ...elsewhere, store: options.store, model: options.model });
}

function credentialOf(
  secret: Secret,
  parts: { readonly fetch: typeof fetch; readonly now: () => number },
): RelationsCredential {
  if ('clientId' in secret) return cachedTokenCredential({ ...secret, ...parts });
  return secret.key === undefined ? async () => ({}) : presharedKeyCredential(secret.key);
}
