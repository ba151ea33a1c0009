import { z } from 'zod';
import { createTokenSeal, type SealSecrets } from '../../secrets/token-seal.ts';
import type { BrokerKey, BrokerKeyStore } from '../../store/broker-key-store.ts';
import { credentialKindNames, type StoredCredentials, storedCredentialsSchemaFor } from './stored-kinds.ts';
import type { VerifiedAccount } from './verify-problems.ts';

export type StoredBrokerCredentialInfo = Omit<BrokerKey, 'sealed' | 'connection' | 'kind'>;

export type BrokerCredentialStore = ReturnType<typeof createBrokerCredentialStore>;

interface KeyPairsOptions {
  readonly store: BrokerKeyStore;
  readonly sealSecret: SealSecrets;
  readonly now: () => number;
  readonly broker: BrokerCredentialLocation;
}

export interface BrokerCredentialLocation {
  readonly name: string;
  readonly kind: string;
  /**
   * Name under which rows were stored when `broker` was the only setting. Undefined if it may be another broker's name.
   */
  readonly formerName?: string;
}

const anyKept = z.union(credentialKindNames.map((kind) => storedCredentialsSchemaFor(kind)));

/**
 * Stores people's broker credentials in the gateway's database, sealed with AES-256-GCM and bound to the person and the
 * broker. Ignores rows that were stored when another kind of broker had the same name.
 */
export function createBrokerCredentialStore({ store, sealSecret, now, broker }: KeyPairsOptions) {
  const seal = createTokenSeal(sealSecret, 'broker_key');
  const context = (sub: string, connection: string) => JSON.stringify([connection, sub]);
  const { name, kind, formerName: before } = broker;
  const names = [name, ...(before === undefined ? [] : [before])];
  const rowOf = async (sub: string) => {
    for (const storedName of names) {
      const row = await store.find(sub, storedName);
      if (row?.kind === kind) return row;
    }
    return undefined;
  };
  return {
    /** Replaces the person's earlier credentials. The next request uses the new credentials. */
    async keep(
      sub: string,
      pair: StoredCredentials,
      { accountNumber, environment }: Pick<VerifiedAccount, 'accountNumber' | 'environment'>,
    ): Promise<void> {
      const sealed = seal.seal(JSON.stringify(anyKept.parse(pair)), context(sub, name));
      await store.keep({ sub, connection: name, kind, sealed, accountNumber, environment, keptAt: now() });
    },
    /** @throws {TradeAgentError} `state_corrupt` if the row was sealed with another key, or for another person */
    async find(sub: string): Promise<(StoredBrokerCredentialInfo & { readonly pair: StoredCredentials }) | undefined> {
      const row = await rowOf(sub);
      if (row === undefined) return undefined;
      const pair = anyKept.parse(JSON.parse(seal.open(row.sealed, context(sub, row.connection))));
      return { ...shown(row), pair };
    },
    async list(): Promise<StoredBrokerCredentialInfo[]> {
      const rows = (await Promise.all(names.map((storedName) => store.list(storedName)))).flat();
      const own = rows.filter((row) => row.kind === kind);
      return own.filter(({ sub }, at) => own.findIndex((row) => row.sub === sub) === at).map(shown);
    },
    /** Returns false if nothing was stored. */
    async remove(sub: string): Promise<boolean> {
      let removed = false;
      for (const storedName of names) {
        const row = await store.find(sub, storedName);
        if (row?.kind === kind) removed = (await store.remove(sub, storedName)) || removed;
      }
      return removed;
    },
    /** Moves rows under `formerName` to the broker's name. Must run before a second broker of this kind is added. */
    async moveFormerRows(): Promise<void> {
      if (before === undefined) return;
      for (const row of await store.list(before)) {
        const { sub } = row;
        if (row.kind !== kind) continue;
        if ((await store.find(sub, name)) === undefined) {
          const sealed = seal.seal(seal.open(row.sealed, context(sub, before)), context(sub, name));
          await store.keep({ ...row, connection: name, sealed });
        }
        await store.remove(sub, before);
      }
    },
  };
}

function shown({ sub, accountNumber, environment, keptAt }: BrokerKey): StoredBrokerCredentialInfo {
  return { sub, accountNumber, environment, keptAt };
}
