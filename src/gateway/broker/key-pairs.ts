import { z } from 'zod';
import { createTokenSeal } from '../../approval/token-seal.ts';
import type { BrokerKey, BrokerKeyStore } from '../../store/broker-key-store.ts';
import { type KeptCredentials, keptKindNames, keptSchema } from './kept-kinds.ts';
import type { VerifiedAccount } from './verified-account.ts';

/** What is kept of an account, without what opens it. */
export type KeptKeyPair = Omit<BrokerKey, 'sealed' | 'connection'>;

/** What opens people's accounts at the broker (a key pair, a token), sealed in the gateway's database. */
export interface KeyPairs {
  /**
   * Keeps one in place of an earlier one: from the next request on it is the one that counts.
   * @param account what the broker said of it (`verifyCredentials`)
   */
  keep(
    sub: string,
    pair: KeptCredentials,
    account: Pick<VerifiedAccount, 'accountNumber' | 'environment'>,
  ): Promise<void>;
  /** @throws {TradeAgentError} `state_corrupt` where it was sealed under another secret, or for somebody else */
  find(sub: string): Promise<(KeptKeyPair & { readonly pair: KeptCredentials }) | undefined>;
  list(): Promise<KeptKeyPair[]>;
  /** False where there is none. */
  remove(sub: string): Promise<boolean>;
}

export interface KeyPairsOptions {
  readonly store: BrokerKeyStore;
  /** The gateway's own: `seal.key`. */
  readonly sealSecret: string;
  readonly now: () => number;
}

/** What the broker is called among the accounts elsewhere: `GET /v1/connections`. */
const CONNECTION = 'broker';

const anyKept = z.union(keptKindNames.map((kind) => keptSchema(kind)));

/** Sealed by AES-256-GCM for one person and connection: a row that is moved to another person does not open. */
export function createKeyPairs({ store, sealSecret, now }: KeyPairsOptions): KeyPairs {
  const seal = createTokenSeal(sealSecret, 'broker_key');
  const context = (sub: string) => JSON.stringify([CONNECTION, sub]);
  return {
    async keep(sub, pair, { accountNumber, environment }) {
      const sealed = seal.seal(JSON.stringify(anyKept.parse(pair)), context(sub));
      await store.keep({ sub, connection: CONNECTION, sealed, accountNumber, environment, keptAt: now() });
    },
    async find(sub) {
      const row = await store.find(sub, CONNECTION);
      if (row === undefined) return undefined;
      const pair = anyKept.parse(JSON.parse(seal.open(row.sealed, context(sub))));
      return { ...shown(row), pair };
    },
    list: async () => (await store.list(CONNECTION)).map(shown),
    remove: (sub) => store.remove(sub, CONNECTION),
  };
}

function shown({ sub, accountNumber, environment, keptAt }: BrokerKey): KeptKeyPair {
  return { sub, accountNumber, environment, keptAt };
}
