import { z } from 'zod';
import { createTokenSeal, type SealSecrets } from '../../secrets/token-seal.ts';
import type { BrokerKey, BrokerKeyStore } from '../../store/broker-key-store.ts';
import { type KeptCredentials, keptKindNames, keptSchema } from './kept-kinds.ts';
import type { VerifiedAccount } from './verify-problems.ts';

export type KeptKeyPair = Omit<BrokerKey, 'sealed' | 'connection' | 'kind'>;

/** What opens people's accounts at the broker, sealed in the gateway's database. */
export interface KeyPairs {
  /** Replaces an earlier one from the next request on. */
  keep(
    sub: string,
    pair: KeptCredentials,
    account: Pick<VerifiedAccount, 'accountNumber' | 'environment'>,
  ): Promise<void>;
  /** @throws {TradeAgentError} `state_corrupt` if it was sealed under another secret, or for somebody else */
  find(sub: string): Promise<(KeptKeyPair & { readonly pair: KeptCredentials }) | undefined>;
  list(): Promise<KeptKeyPair[]>;
  /** False if there is none. */
  remove(sub: string): Promise<boolean>;
  /** Moves rows from the name `before` to the broker's own, before another broker of its kind is added. */
  settle(): Promise<void>;
}

interface KeyPairsOptions {
  readonly store: BrokerKeyStore;
  readonly sealSecret: SealSecrets;
  readonly now: () => number;
  readonly broker: KeyPlace;
}

export interface KeyPlace {
  readonly name: string;
  readonly kind: string;
  /** The name they were kept under while there was only `broker:`, if that can have been no other broker. */
  readonly before?: string;
}

const anyKept = z.union(keptKindNames.map((kind) => keptSchema(kind)));

/** Sealed by AES-256-GCM for one person and broker. A row of another kind of broker is ignored: names can be reused. */
export function createKeyPairs({ store, sealSecret, now, broker }: KeyPairsOptions): KeyPairs {
  const seal = createTokenSeal(sealSecret, 'broker_key');
  const context = (sub: string, connection: string) => JSON.stringify([connection, sub]);
  const { name, kind, before } = broker;
  const places = [name, ...(before === undefined ? [] : [before])];
  const rowOf = async (sub: string) => {
    for (const place of places) {
      const row = await store.find(sub, place);
      if (row?.kind === kind) return row;
    }
    return undefined;
  };
  return {
    async keep(sub, pair, { accountNumber, environment }) {
      const sealed = seal.seal(JSON.stringify(anyKept.parse(pair)), context(sub, name));
      await store.keep({ sub, connection: name, kind, sealed, accountNumber, environment, keptAt: now() });
    },
    async find(sub) {
      const row = await rowOf(sub);
      if (row === undefined) return undefined;
      const pair = anyKept.parse(JSON.parse(seal.open(row.sealed, context(sub, row.connection))));
      return { ...shown(row), pair };
    },
    async list() {
      const rows = (await Promise.all(places.map((place) => store.list(place)))).flat();
      const own = rows.filter((row) => row.kind === kind);
      return own.filter(({ sub }, at) => own.findIndex((row) => row.sub === sub) === at).map(shown);
    },
    async remove(sub) {
      let removed = false;
      for (const place of places) {
        const row = await store.find(sub, place);
        if (row?.kind === kind) removed = (await store.remove(sub, place)) || removed;
      }
      return removed;
    },
    async settle() {
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

function shown({ sub, accountNumber, environment, keptAt }: BrokerKey): KeptKeyPair {
  return { sub, accountNumber, environment, keptAt };
}
