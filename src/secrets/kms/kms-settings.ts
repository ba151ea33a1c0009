import { resolve } from 'node:path';
import { z } from 'zod';
import { INSECURE_URL_MESSAGE, isSecureUrl } from '../../net/secure-url.ts';
import { defined } from '../../values/defined.ts';
import type { Kms } from './kms.ts';

/** The transit engine of HashiCorp Vault or OpenBao. */
const vaultSchema = z.strictObject({
  url: z.url().refine(isSecureUrl, INSECURE_URL_MESSAGE),
  key: z.string().min(1),
  /** File that contains only the token: an absolute path, or a path relative to `folder`. */
  token_file: z.string().min(1),
  mount: z.string().min(1).optional(),
  namespace: z.string().min(1).optional(),
});

const awsSchema = z.strictObject({
  /** A symmetric key: its ID, its ARN, or an alias (`alias/NAME`, or the alias's ARN). */
  key: z.string().regex(/^[\w/:-]{1,2048}$/, 'must be the ID, ARN or alias of a key'),
  region: z.string().regex(/^[a-z]{2}(?:-[a-z]+)+-\d$/, 'must be a region, such as eu-central-1'),
});

/**
 * The key management service that wraps keys before they are stored in a database: `{file}`, `{vault}` or `{aws}`. All
 * programs that use the database need the same settings. The settings contain no secret, only the secrets' locations.
 */
export const kmsSettingsSchema = z
  .strictObject({
    /** File with trade-agent's own wrapping keys: an absolute path, or a path relative to `folder`. */
    file: z.string().min(1).optional(),
    vault: vaultSchema.optional(),
    aws: awsSchema.optional(),
  })
  .refine((settings) => Object.values(settings).filter((one) => one !== undefined).length === 1, {
    error: 'must have exactly one of file, vault and aws',
  });
export type KmsSettings = z.output<typeof kmsSettingsSchema>;

interface KmsEnvironment {
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
  readonly fetch?: typeof fetch;
}

/**
 * Opens the key management service that the settings name. Does not contact the service yet.
 * @throws {TradeAgentError} `invalid_config`
 */
export async function openKms(
  { file, vault, aws }: KmsSettings,
  { folder, env, ...access }: KmsEnvironment,
): Promise<Kms> {
  if (vault !== undefined) {
    const { openVaultKms } = await import('./vault-kms.ts');
    const { token_file, mount, namespace, ...rest } = vault;
    return openVaultKms({
      ...rest,
      ...access,
      tokenFile: resolve(folder, token_file),
      ...defined({ mount, namespace }),
    });
  }
  if (aws !== undefined) {
    const { openAwsKms } = await import('./aws-kms.ts');
    return openAwsKms({ ...aws, ...access, env });
  }
  const { openFileKms } = await import('./file-kms.ts');
  return openFileKms(resolve(folder, file ?? ''));
}
