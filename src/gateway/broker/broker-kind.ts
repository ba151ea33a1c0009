import { z } from 'zod';
import type { OrderTool } from './acting-tool.ts';
import type { AssetCatalog } from './asset-catalog.ts';
import type { ConnectBroker } from './broker.ts';
import type { BrokerTraits } from './broker-traits.ts';
import { type CredentialKind, credentialKindNames, type StoredCredentials } from './stored-kinds.ts';
import type { VerifiedAccount, VerifyCredentialsOptions } from './verify-problems.ts';

/** Settings in `gateway.yaml` (`broker:`, `brokers:`) that all kinds of brokers share. Each kind adds more settings. */
export const commonBrokerSettingsSchema = z.strictObject({
  kind: z.string(),
  /** How the gateway accesses accounts: by token exchange (default), or with credentials that each owner entered. */
  credentials: z.enum(['exchange', ...credentialKindNames]).optional(),
  /** With `exchange`: the kind of credentials for orders under a mandate while the owner is not signed in. */
  unattended: z.enum(credentialKindNames).optional(),
  /** With `exchange`: the broker's name at the identity provider (default: `exchange.audience`). */
  audience: z.string().min(1).optional(),
  /** A name for the account, such as `IRA` (default: the broker's name). */
  label: z
    .string()
    .regex(/^[\x20-\x7e]{1,40}$/, 'must be 1 to 40 printable characters')
    .optional(),
  /** Whether prices and fills are simulated. */
  simulated: z.boolean().default(false),
});

export interface BrokerContext {
  readonly environment: 'paper' | 'live';
  readonly fetch: typeof fetch;
  readonly timeoutMs: number;
  /** Returns the time in milliseconds since the epoch. Used for data that the broker reports without a time. */
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  readonly assets: AssetCatalog;
}

/** Traits that depend on the settings. `resolveBrokerTraits` in brokers.ts resolves them. */
interface TraitsBySettings<Settings> {
  of(settings: Settings): BrokerTraits;
}

/** A kind of broker. Each kind has its own folder; docs/adding/broker.md explains how to add a kind. */
export interface BrokerKind<Settings> {
  readonly traits: BrokerTraits | TraitsBySettings<Settings>;
  /** Extends {@link commonBrokerSettingsSchema}, with a literal `kind`. */
  readonly settings: z.ZodType<Settings>;
  /** Name of the setting that overrides the broker's address. */
  readonly address: string;
  connect(settings: Settings, context: BrokerContext): ConnectBroker;
  /** The credentials that owners may enter for their accounts. Unset if only `credentials: exchange` is allowed. */
  readonly storedCredentials?: {
    /** The first kind is the default. */
    readonly kinds: readonly [CredentialKind, ...CredentialKind[]];
    /**
     * Returns the account that the credentials give access to.
     * @throws {TradeAgentError} the same errors as `verifyCredentials` in verify-keys.ts
     */
    verify(
      settings: Settings,
      given: StoredCredentials,
      options: Required<VerifyCredentialsOptions>,
    ): Promise<VerifiedAccount>;
    /**
     * Returns the tools that place or cancel orders, with their current descriptions, without calling these tools.
     * @throws {TradeAgentError} the same errors as `verify`
     */
    tools?(
      settings: Settings,
      given: StoredCredentials,
      options: Required<VerifyCredentialsOptions>,
    ): Promise<readonly OrderTool[]>;
  };
}
