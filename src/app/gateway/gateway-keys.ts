import type { JWK } from 'jose';
import { TradeAgentError } from '../../errors/errors.ts';
import type { SealSecrets } from '../../secrets/token-seal.ts';
import {
  keyFile,
  makeKey,
  nextKeyFile,
  prepareNextKey,
  readKey,
  type ShownKey,
  sealSecret,
  switchToNextKey,
} from './key-file.ts';

/** A gateway's own keys: the one of its clients at the identity provider, and what secrets in its rows are sealed by. */
export interface GatewayKeys {
  /** Where the clients' private key is, where that is a file. */
  readonly file: string | null;
  /** Where the one is that waits. */
  readonly nextFile: string | null;
  /** @throws {TradeAgentError} `invalid_config` where there is none yet */
  client(): Promise<JWK>;
  /** @throws {TradeAgentError} `usage` where there is one */
  make(kty: 'EC' | 'RSA'): Promise<ShownKey>;
  /** The key that is to take the other's place: made now, of the same kind, unless one waits already. */
  prepareNext(): Promise<ShownKey>;
  /**
   * Puts what waits in the others' place.
   * @param tryIt rejects where the provider doesn't know the key: all then stays as it is
   * @throws {TradeAgentError} `usage` where none waits
   */
  switchToNext(tryIt: (key: JWK) => Promise<void>): Promise<ShownKey>;
  /** Made with the first use. */
  seal(): Promise<SealSecrets>;
  /** Wraps all by the newest wrapping key. @throws {TradeAgentError} `usage` where they are not wrapped */
  rewrap(): Promise<void>;
}

/** Keys in files of the gateway's own folder. */
export function folderKeys(folder: string): GatewayKeys {
  return {
    file: keyFile(folder),
    nextFile: nextKeyFile(folder),
    client: async () => readKey(folder),
    make: (kty) => makeKey(folder, kty),
    prepareNext: () => prepareNextKey(folder),
    switchToNext: (tryIt) => switchToNextKey(folder, tryIt),
    seal: async () => sealSecret(folder),
    rewrap: () =>
      Promise.reject(
        new TradeAgentError('usage', 'the keys of this gateway are files: there is nothing to wrap', {
          hint: 'Set "kms" beside "database" in gateway.yaml (docs/operate/GATEWAY.md).',
        }),
      ),
  };
}
