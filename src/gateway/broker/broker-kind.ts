import { z } from 'zod';
import type { ActingTool } from './acting-tool.ts';
import type { AssetCatalogue } from './asset-catalogue.ts';
import type { ConnectBroker } from './broker.ts';
import type { BrokerTraits } from './broker-traits.ts';
import { type KeptCredentials, type KeptKind, keptKindNames } from './kept-kinds.ts';
import type { VerifiedAccount, VerifyOptions } from './verify-problems.ts';

/** What `gateway.yaml` says of every broker, of the one (`broker:`) or of each (`brokers:`); each kind adds its own. */
export const brokerSettings = z.strictObject({
  kind: z.string(),
  /**
   * What opens people's accounts. `exchange`, where it is left out: a token that the identity provider gives in exchange
   * for the user's (`exchange:`). Otherwise what each person gives of their own (`key_pair`, `access_token`: what the kind of
   * broker has), kept sealed in the gateway's database.
   */
  credentials: z.enum(['exchange', ...keptKindNames]).optional(),
  /**
   * Beside `exchange`: what opens an account for an order that its owner approved beforehand, where no session of theirs need
   * be at hand. Nothing, where it is left out: then the gateway orders nothing by itself.
   */
  unattended: z.enum(keptKindNames).optional(),
  /** Beside `exchange`: what the broker is called at the identity provider, where `exchange.audience` is not it. */
  audience: z.string().min(1).optional(),
  /** What its owner calls the account there: `IRA`. The broker's own name unless said otherwise. */
  label: z
    .string()
    .regex(/^[\x20-\x7e]{1,40}$/, 'must be 1 to 40 printable characters')
    .optional(),
  /** True where prices and fills are made up. */
  simulated: z.boolean().default(false),
});

/** What a broker of any kind is reached by. */
export interface BrokerContext {
  readonly environment: 'paper' | 'live';
  /** For every request; the contract test loses answers by it. */
  readonly fetch: typeof fetch;
  /** One request, milliseconds. */
  readonly timeoutMs: number;
  /** Milliseconds since the epoch: where the broker tells no time of its own. */
  readonly now: () => number;
  /** For brokers that say how seldom they may be asked. */
  readonly sleep: (ms: number) => Promise<void>;
  /** What is the same for all users is asked for once. */
  readonly assets: AssetCatalogue;
}

/** Where what is promised depends on the settings. `traitsOf` of brokers.ts tells either. */
interface TraitsBySettings<Settings> {
  of(settings: Settings): BrokerTraits;
}

/**
 * A kind of broker, in a folder of its own: what differs (`traits`), what is set (`settings`), and how an account there
 * is reached. docs/adding/broker.md says how to add one.
 */
export interface BrokerKind<Settings> {
  readonly traits: BrokerTraits | TraitsBySettings<Settings>;
  /** Made of {@link brokerSettings}, with `kind` a literal. */
  readonly settings: z.ZodType<Settings>;
  /** The setting that says where it is, where that is not at its own addresses. */
  readonly address: string;
  connect(settings: Settings, context: BrokerContext): ConnectBroker;
  /** What its people may give to have their accounts opened; left out where `settings` allow `credentials: exchange` alone. */
  readonly kept?: {
    /** The first where the settings name none. */
    readonly kinds: readonly [KeptKind, ...KeptKind[]];
    /**
     * What account it opens.
     * @throws {TradeAgentError} as `verifyCredentials` of verify-keys.ts
     */
    verify(
      settings: Settings,
      given: KeptCredentials,
      options: Required<VerifyOptions>,
    ): Promise<VerifiedAccount>;
    /**
     * What the tools that send and cancel orders say of themselves, where the broker has such.
     * @throws {TradeAgentError} as `verify`
     */
    tools?(
      settings: Settings,
      given: KeptCredentials,
      options: Required<VerifyOptions>,
    ): Promise<readonly ActingTool[]>;
  };
}
