import { createTokenSeal } from '../../approval/token-seal.ts';
import type { BrokerKey, BrokerKeyStore } from '../../store/broker-key-store.ts';
import { type KeyPair, keyPairSchema } from './broker-credentials.ts';
import type { VerifiedAccount } from './verified-account.ts';

/** A kept key pair, without the pair. */
export type KeptKeyPair = Omit<BrokerKey, 'sealed' | 'connection'>;

/** The key pairs of people's accounts at the broker, sealed in the gateway's database. */
export interface KeyPairs {
  /**
   * Keeps a pair in place of an earlier one: from the next request on it is the one that counts.
   * @param account what the broker said of it (`verifyKeyPair`)
   */
  keep(
    sub: string,
    pair: KeyPair,
    account: Pick<VerifiedAccount, 'accountNumber' | 'environment'>,
  ): Promise<void>;
  /** @throws {TradeAgentError} `state_corrupt` where it was sealed under another secret, or for somebody else */
  find(sub: string): Promise<(KeptKeyPair & { readonly pair: KeyPair }) | undefined>;
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

/** Sealed by AES-256-GCM for one person and connection: a row that is moved to another person does not open. */
export function createKeyPairs({ store, sealSecret, now }: KeyPairsOptions): KeyPairs {
  const seal = createTokenSeal(sealSecret, 'broker_key');
  const context = (sub: string) => JSON.stringify([CONNECTION, sub]);
  return {
    async keep(sub, pair, { accountNumber, environment }) {
      const sealed = seal.seal(JSON.stringify(keyPairSchema.parse(pair)), context(sub));
      await store.keep({ sub, connection: CONNECTION, sealed, accountNumber, environment, keptAt: now() });
    },
    async find(sub) {
      const row = await store.find(sub, CONNECTION);
      if (row === undefined) return undefined;
      const pair = keyPairSchema.parse(JSON.parse(seal.open(row.sealed, context(sub))));
      return { ...shown(row), pair };
    },
    list: async () => (await store.list(CONNECTION)).map(shown),
    remove: (sub) => store.remove(sub, CONNECTION),
  };
}

function shown({ sub, accountNumber, environment, keptAt }: BrokerKey): KeptKeyPair {
  return { sub, accountNumber, environment, keptAt };
}
