import { createHmac, randomBytes } from 'node:crypto';
import type { JWK } from 'jose';
import { TradeAgentError } from '../../errors/errors.ts';
import type { Kms } from '../../secrets/kms/kms.ts';
import type { SealSecrets } from '../../secrets/token-seal.ts';
import type { GatewayKeyName, GatewayKeyRows, WrappedGatewayKey } from '../../store/gateway-key-rows.ts';
import {
  createClientKey,
  findSealSecret,
  generateKey,
  keyFilePath,
  nextKeyFilePath,
  noNextKeyError,
  type PublicKey,
  prepareNextKey,
  readClientKey,
  readKeyFile,
  readOrCreateSealSecret,
  switchToNextKey,
  toPublicKey,
} from './key-file.ts';

/** A gateway's keys: the key that its OAuth clients sign with, and the keys that seal secrets in its database. */
export interface GatewayKeys {
  /** File of the clients' private key, or null if the key is not in a file. */
  readonly file: string | null;
  readonly nextFile: string | null;
  /** Returns the clients' key. @throws {TradeAgentError} `invalid_config` if there is no key yet */
  client(): Promise<JWK>;
  /** Creates the clients' key. @throws {TradeAgentError} `usage` if there already is a key */
  make(kty: 'EC' | 'RSA'): Promise<PublicKey>;
  /** Creates the next key, of the same type as the current key. Does nothing if a next key already exists. */
  prepareNext(): Promise<PublicKey>;
  /**
   * Replaces the client key and the seal key with the next ones.
   * @param tryIt rejects if the provider does not accept the next client key, in which case nothing is replaced
   * @throws {TradeAgentError} `usage` if there is no next key
   */
  switchToNext(tryIt: (key: JWK) => Promise<void>): Promise<PublicKey>;
  seal(): Promise<SealSecrets>;
  /** Wraps all keys with the newest wrapping key. @throws {TradeAgentError} `usage` if the keys are not wrapped */
  rewrap(): Promise<void>;
}

export function createFolderKeys(folder: string): GatewayKeys {
  return {
    file: keyFilePath(folder),
    nextFile: nextKeyFilePath(folder),
    client: async () => readClientKey(folder),
    make: (kty) => createClientKey(folder, kty),
    prepareNext: () => prepareNextKey(folder),
    switchToNext: (tryIt) => switchToNextKey(folder, tryIt),
    seal: async () => readOrCreateSealSecret(folder),
    rewrap: () =>
      Promise.reject(
        new TradeAgentError('usage', "this gateway's keys are files, so there is nothing to wrap", {
          hint: 'Set "kms" next to "database" in gateway.yaml (docs/operate/GATEWAY.md).',
        }),
      ),
  };
}

/**
 * Returns a digest of a seal secret. Gateways compare digests to verify that all of them have the same oldest secret,
 * which is never replaced.
 */
export function sealSecretDigest(secret: string): string {
  return createHmac('sha256', secret).update('trade-agent gateway').digest('hex');
}

/**
 * Returns the keys that all gateways on a database share, wrapped by a key management service. The first gateway that
 * needs a key creates it or imports it from its folder. The client key and the seal key are replaced together, in two
 * steps. The next keys stay unused until every gateway has been restarted, because no gateway may seal secrets with a
 * key that another gateway has not loaded.
 * @param folder may contain key.json and seal.key
 */
export function createWrappedKeys({ kms, rows, tenant, folder }: WrappedKeysOptions): GatewayKeys {
  const { open, openKey, wrap, kept } = wrapping({ kms, rows, tenant });
  const addKey = async (name: 'client' | 'next_client', key: JWK, more: readonly WrappedGatewayKey[] = []) =>
    await rows.replace([], [await wrap(name, 1, JSON.stringify(key)), ...more]);

  /** Returns the clients' key from the database, or else imports the key file from the folder. */
  const client = async (): Promise<JWK | undefined> => {
    const [row] = await kept('client');
    if (row !== undefined) return await openKey(row);
    const found = readKeyFile(keyFilePath(folder));
    if (found === undefined) return undefined;
    await addKey('client', found);
    const [now] = await kept('client');
    return now && (await openKey(now));
  };
  const requireClient = async (): Promise<JWK> => {
    const key = await client();
    if (key !== undefined) return key;
    throw new TradeAgentError('invalid_config', 'the gateways on this database have no key', {
      hint: 'Create one with "trade-agent gateway key", and register its output at the identity provider.',
    });
  };
  const sealRows = async (): Promise<WrappedGatewayKey[]> => {
    const found = await kept('seal');
    if (found.length > 0) return found;
    const secret = findSealSecret(folder) ?? randomBytes(32).toString('base64url');
    await rows.addFirstSeal(await wrap('seal', 1, secret), sealSecretDigest(secret));
    const now = await kept('seal');
    if (now.length > 0) return now;
    throw new TradeAgentError('invalid_config', 'this database was sealed with a seal.key file', {
      hint: 'Start a gateway once in the folder that contains seal.key. This imports the key.',
    });
  };

  return {
    file: null,
    nextFile: null,
    client: requireClient,
    async make(kty) {
      const key = await generateKey(kty);
      if ((await client()) !== undefined || !(await addKey('client', key)))
        throw new TradeAgentError('usage', 'a key already exists in the gateways’ database', {
          hint: '--show prints its public key; --rotate creates its replacement.',
        });
      return toPublicKey(key);
    },
    async prepareNext() {
      const { kty } = await requireClient();
      await sealRows();
      const waits = async () => (await kept('next_client'))[0];
      if ((await waits()) === undefined) {
        const seal = await wrap('next_seal', 1, randomBytes(32).toString('base64url'));
        await addKey('next_client', await generateKey(kty === 'RSA' ? 'RSA' : 'EC'), [seal]);
      }
      // Reads again, because another process may have created the next key first.
      const next = await waits();
      if (next === undefined) throw changedConcurrently();
      return toPublicKey(await openKey(next));
    },
    async switchToNext(tryIt): Promise<PublicKey> {
      const all = await rows.all();
      const of = (name: GatewayKeyName) => all.filter((row) => row.name === name);
      const [[next], [nextSeal], [newest]] = [of('next_client'), of('next_seal'), of('seal')];
      if (next === undefined || nextSeal === undefined) throw noNextKeyError();
      const key = await openKey(next);
      await tryIt(key);
      const [before] = of('client');
      const added = await Promise.all([
        wrap('client', (before?.version ?? 0) + 1, JSON.stringify(key)),
        wrap('seal', (newest?.version ?? 0) + 1, await open(nextSeal)),
      ]);
      // Removes the clients' old key. Keeps the old seal key, which is needed to open existing secrets.
      const removed = [next, nextSeal, ...of('client')];
      if (await rows.replace(removed, added)) return toPublicKey(key);
      throw changedConcurrently();
    },
    async seal() {
      await sealRows();
      // Reads all keys at once, because a key that becomes current between two reads could be missing from both.
      const all = await rows.all();
      const those = ['seal', 'next_seal'].flatMap((name) => all.filter((row) => row.name === name));
      const [newest, ...others] = await Promise.all(those.map(open));
      if (newest === undefined) throw changedConcurrently();
      return [newest, ...others];
    },
    async rewrap() {
      for (const row of await rows.all()) {
        const again = await wrap(row.name, row.version, await open(row));
        if (!(await rows.replace([row], [again]))) throw changedConcurrently();
      }
    },
  };
}

function wrapping({ kms, rows, tenant }: Omit<WrappedKeysOptions, 'folder'>) {
  const contextOf = ({ name, version }: Pick<WrappedGatewayKey, 'name' | 'version'>) =>
    JSON.stringify(['trade-agent.gateway-key/1', tenant, name, version]);
  const open = async (row: WrappedGatewayKey) => (await kms.unwrap(row.wrapped, contextOf(row))).toString('utf8');
  const openKey = async (row: WrappedGatewayKey) => JSON.parse(await open(row)) as JWK;
  const wrap = async (name: GatewayKeyName, version: number, text: string): Promise<WrappedGatewayKey> => ({
    name,
    version,
    wrapped: await kms.wrap(Buffer.from(text), contextOf({ name, version })),
  });
  /** Returns the versions of a key, newest first. */
  const kept = async (name: GatewayKeyName) => (await rows.all()).filter((row) => row.name === name);
  return { open, openKey, wrap, kept };
}

interface WrappedKeysOptions {
  readonly kms: Kms;
  readonly rows: GatewayKeyRows;
  readonly tenant: string;
  readonly folder: string;
}

function changedConcurrently(): TradeAgentError {
  return new TradeAgentError('busy', 'another process is changing the gateways’ keys', {
    hint: 'Nothing is lost. Check with "trade-agent gateway key --show", then try again.',
  });
}
