import { TradeAgentError } from '../../errors/errors.ts';
import { openBytes, sealBytes } from '../aes-gcm.ts';
import type { DataKeys } from './data-keys.ts';

export interface SecretName {
  readonly tenant: string;
  readonly sub: string;
  readonly name: string;
}

/**
 * A stored secret. Sealing a secret twice gives different bytes, so changed bytes mean that the secret was rewritten.
 */
export interface SealedSecret {
  readonly keyVersion: number;
  readonly sealed: Buffer;
}

/** Seals secrets with their tenant's data key (AES-256-GCM). A secret can be opened only under the same name. */
export type SecretSeal = ReturnType<typeof createSecretSeal>;

export function createSecretSeal(keys: DataKeys) {
  return {
    async seal(of: SecretName, text: string): Promise<SealedSecret> {
      const { version, key } = await keys.newest(of.tenant);
      return { keyVersion: version, sealed: sealBytes(key, Buffer.from(text), secretContext(of, version)) };
    },
    /**
     * Decrypts a secret.
     * @throws {TradeAgentError} `credential_store_unavailable` if the secret is damaged or has a different name
     */
    async open(of: SecretName, { keyVersion, sealed }: SealedSecret): Promise<string> {
      const key = await keys.find(of.tenant, keyVersion);
      try {
        return openBytes(key, sealed, secretContext(of, keyVersion)).toString('utf8');
      } catch {
        throw new TradeAgentError('credential_store_unavailable', `a sealed ${of.name} can't be opened`, {
          hint: 'Nothing was changed. The sealed secret is damaged, or was copied from another row.',
        });
      }
    },
  };
}

/** Returns a JSON array, because a `sub` can contain any separator, such as Auth0's "|". */
function secretContext({ tenant, sub, name }: SecretName, version: number): string {
  return JSON.stringify(['trade-agent.secret/1', tenant, sub, name, version]);
}
