import type { CibaApprovalClientOptions } from '../approval/ciba/ciba-approval-client.ts';
import type { Quotas } from '../approval/kernel/quotas.ts';
import type { IsRevokedBySignal, KernelDeps } from '../approval/kernel-deps.ts';
import type { ApprovalKeys } from '../approval/keys/approval-keys.ts';
import type { Clock } from '../machine/clock.ts';
import type { SealSecrets } from '../secrets/token-seal.ts';
import type { GatewayStores } from '../store/gateway-stores.ts';
import type { RateLimit } from '../store/rate-buckets.ts';
import type { RequestLog } from './auth/authenticator.ts';
import type { CallerRates } from './auth/caller-rates.ts';
import type { IsTokenRevoked } from './auth/token-verifier.ts';
import type { BrokerTokenExchange } from './broker/broker-token.ts';
import type { NamedBroker } from './broker/named-broker.ts';
import type { MessageServiceSettings } from './messages/message-outlets.ts';
import type { Mount } from './mounts/mount.ts';
import type { UnexplainedOrder } from './orders/reconciliation.ts';
import type { RulesSource } from './policy/rules.ts';
import type { RelationsOptions } from './relations/relations-settings.ts';
import type { AnchorSettings } from './settings/common-settings.ts';

export interface RequestRateLimits extends CallerRates {
  /** Rate limit for one account at each broker (default: the broker's documented rate; `off`: unlimited). */
  readonly broker?: RateLimit | 'off' | undefined;
  /** Rate limit for requests to the identity provider that concern approvals. */
  readonly provider?: RateLimit | undefined;
}

export interface GatewayOptions {
  /** The identity provider's address: https, or http on loopback. */
  readonly issuer: string;
  /** The gateway's resource identifier (RFC 8707): its base URL, and the expected `aud`. */
  readonly resource: string;
  /** Names the gateway in approvals, receipts and the audit log. Default: `resource`. */
  readonly identifier?: string;
  /** The RFC 9396 type that the provider uses for order approvals. */
  readonly detailsType?: string;
  /** The client for token exchange. Required for messages, and for accounts that are not accessed with key pairs. */
  readonly exchange?: BrokerTokenExchange;
  /** At least one broker. A person has at most one account at each broker. */
  readonly brokers: readonly NamedBroker[];
  /** The environment of all accounts. A gateway trades either paper or live money, never both. */
  readonly environment: 'paper' | 'live';
  /** Encrypts people's broker credentials. */
  readonly sealSecret?: SealSecrets;
  /** The caller must close the stores. */
  readonly stores: GatewayStores;
  readonly clock?: Clock;
  readonly fetch?: typeof fetch;
  /** The RFC 9396 type that the provider uses for message approvals. */
  readonly messageDetailsType?: string;
  readonly messages?: MessageServiceSettings;
  readonly rules?: RulesSource;
  readonly relations?: RelationsOptions;
  /** Returns whether the proposing client's permission was revoked. Omitted if the gateway can't check this. */
  readonly isRevokedBySignal?: IsRevokedBySignal;
  /** Returns whether the provider has a user with this `sub`. Access can be granted only to such users. */
  readonly isKnown?: (sub: string) => Promise<boolean>;
  /** Called for an open order that this gateway sent but that belongs to no proposal (default: `onError`). */
  readonly onUnexplainedOrder?: (found: UnexplainedOrder) => void;
  readonly log?: RequestLog;
  /** Called for internal errors. The message never contains a token. */
  readonly onError?: (message: string) => void;
  /** Called after a proposal was made or has changed. */
  readonly onProposal?: KernelDeps['onProposal'];
  /** Rate limits. All gateways with the same stores share them, but each gateway counts callers' requests itself. */
  readonly rates?: RequestRateLimits;
  /** Settings for timestamping the audit log's checkpoints. `ca_file` is a path. */
  readonly anchor?: AnchorSettings;
  /**
   * Timeout of one request to a broker, in milliseconds. At most 15 s, so that a request whose response was lost has
   * ended before the order may be sent again.
   */
  readonly brokerTimeoutMs?: number;
  /** Timeout of one request to the identity provider, in milliseconds. */
  readonly providerTimeoutMs?: number;
  /** Without approval options, the gateway does not accept proposals. */
  readonly approval?: GatewayApprovalOptions;
  /** The keys with which people sign approvals. Only a home has such keys. */
  readonly keys?: Pick<ApprovalKeys, 'check' | 'site'>;
  /** Whether to reject access tokens that are not bound to a key (RFC 9449). */
  readonly requireBoundTokens?: boolean;
  /** Returns whether an access token's session has ended. Omitted if the gateway can't check this for each request. */
  readonly isRevoked?: IsTokenRevoked;
  /** IDs of the clients that are allowed in addition to `ownClients` (default: every client). */
  readonly allowedClients?: readonly string[];
  /** IDs of the operator's own clients, which have higher quotas. */
  readonly ownClients?: readonly string[];
  /** Default maximum slippage of proposals, as a fraction of the reference price. */
  readonly maxSlippage?: string;
  /** Other endpoints at the gateway's address. Each has a separate audience for its tokens. */
  readonly mounts?: readonly Mount[];
}

/** The gateway's settings as a CIBA client, and its other approval options. */
export interface GatewayApprovalOptions
  extends Pick<CibaApprovalClientOptions, 'client' | 'privateKey' | 'provider' | 'details' | 'delivery'> {
  readonly method: 'ciba';
  /** Which approvals must be signed with the person's key (`live`: only approvals for real money). Requires `keys`. */
  readonly signature: 'required' | 'live' | 'off';
  /** Encrypts approval tokens. The seal key must not change while a token is stored. */
  readonly sealSecret: SealSecrets;
  /** Quotas for each client and person (default {@link defaultQuotas}). */
  readonly quotas?: Quotas;
  /** Maximum lifetime of a proposal, in seconds. */
  readonly maxTtl: number;
  /** URL of the page where the person approves or denies, if any. */
  readonly phoneUrl?: string;
}

export function getErrorCallback({ onError }: Pick<GatewayOptions, 'onError'>): (message: string) => void {
  return onError ?? ((message) => void process.stderr.write(`gateway: ${message}\n`));
}
