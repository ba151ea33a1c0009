import type { CibaApprovalClientOptions } from '../approval/ciba/ciba-approval-client.ts';
import type { Quotas } from '../approval/kernel/quotas.ts';
import type { IsRevokedBySignal } from '../approval/kernel-deps.ts';
import type { ApprovalKeys } from '../approval/keys/approval-keys.ts';
import type { Clock } from '../machine/clock.ts';
import type { SealSecrets } from '../secrets/token-seal.ts';
import type { GatewayStores } from '../store/gateway-stores.ts';
import type { Rate } from '../store/rate-buckets.ts';
import type { RequestLog } from './auth/authenticator.ts';
import type { IsRevoked } from './auth/token-verifier.ts';
import type { BrokerExchange } from './broker/broker-token.ts';
import type { NamedBroker } from './broker/named-broker.ts';
import type { MessageServices } from './messages/message-outlets.ts';
import type { Mount } from './mounts/mount.ts';
import type { UnexplainedOrder } from './orders/reconciliation.ts';
import type { RulesSource } from './policy/rules.ts';
import type { RelationsOptions } from './relations/relations-settings.ts';
import type { AnchorSettings } from './settings/common-settings.ts';

export interface RequestRates {
  /** Rate for one account at each broker (default: the broker's documented rate; `off`: unlimited). */
  readonly broker?: Rate | 'off' | undefined;
  /** Rate of requests to the identity provider for approvals. */
  readonly provider?: Rate | undefined;
}

export interface GatewayOptions {
  /** The identity provider: https, or http on loopback. */
  readonly issuer: string;
  /** The gateway's resource identifier (RFC 8707): its base URL, and the expected `aud`. */
  readonly resource: string;
  /** The RFC 9396 type of approvals at this provider. */
  readonly detailsType?: string;
  /** Required for messages, and for accounts that are not opened with key pairs. */
  readonly exchange?: BrokerExchange;
  /** At least one broker. Each person has at most one account at each. */
  readonly brokers: readonly NamedBroker[];
  /** The environment of all accounts. No gateway trades both paper and live money. */
  readonly environment: 'paper' | 'live';
  /** Seals people's key pairs for the broker. */
  readonly sealSecret?: SealSecrets;
  /** The caller closes the stores. */
  readonly stores: GatewayStores;
  readonly clock?: Clock;
  readonly fetch?: typeof fetch;
  /** The RFC 9396 type of approvals of messages at this provider. */
  readonly messageDetailsType?: string;
  readonly messages?: MessageServices;
  readonly rules?: RulesSource;
  readonly relations?: RelationsOptions;
  /** Whether the session of the proposing client was revoked, if that can be checked at each use. */
  readonly isRevokedBySignal?: IsRevokedBySignal;
  /** Whether the provider knows this `sub`. Access is granted only to people whom it knows. */
  readonly isKnown?: (sub: string) => boolean;
  /** Called for an open order of this gateway that no proposal accounts for (default: `onError`). */
  readonly onUnexplainedOrder?: (found: UnexplainedOrder) => void;
  readonly log?: RequestLog;
  /** Called for internal errors, never with a token. */
  readonly onError?: (message: string) => void;
  /** Shared by all gateways over the same stores. */
  readonly rates?: RequestRates;
  /** Timestamps the record's checkpoints. `ca_file` is a path. */
  readonly anchor?: AnchorSettings;
  /** Timeout of one request, in milliseconds. At most 15 s, so that a lost request is over before it may be repeated. */
  readonly brokerTimeoutMs?: number;
  /** Timeout of one request, in milliseconds. */
  readonly providerTimeoutMs?: number;
  /** Without this, the gateway has no proposals. */
  readonly approval?: GatewayApproval;
  /** The keys that people sign approvals with (a home's). */
  readonly keys?: Pick<ApprovalKeys, 'check' | 'site'>;
  /** Rejects access tokens that are not bound to a key (RFC 9449). */
  readonly requireBoundTokens?: boolean;
  /** Whether an access token's session has ended, if that can be checked at each request. */
  readonly isRevoked?: IsRevoked;
  /** Allowed in addition to `ownClients` (default: every client). */
  readonly allowedClients?: readonly string[];
  /** The clients that our own users sign in with. */
  readonly ownClients?: readonly string[];
  /** Default for proposals, as a fraction of the reference price. */
  readonly maxSlippage?: string;
  /** Other endpoints at this address, with their own tokens. */
  readonly mounts?: readonly Mount[];
}

/** The gateway as a CIBA client, and its other approval options. */
export interface GatewayApproval
  extends Pick<CibaApprovalClientOptions, 'client' | 'privateKey' | 'provider' | 'details' | 'delivery'> {
  readonly method: 'ciba';
  /**
   * Whether approvals must be signed with the person's own key. `live`: only those for live money. Needs {@link
   * GatewayOptions.keys}.
   */
  readonly signature: 'required' | 'live' | 'off';
  /** Path of `audit.jsonl`. */
  readonly auditFile: string;
  /** Seals approval tokens. Must not change while a token is stored. */
  readonly sealSecret: SealSecrets;
  /** Per client and person (default {@link defaultQuotas}). */
  readonly quotas?: Quotas;
  /** Maximum lifetime of a proposal, in seconds. */
  readonly maxTtl: number;
  /** The page where the person decides, if there is one. */
  readonly phoneUrl?: string;
}

/** Returns the error callback (default: writes to standard error). */
export function errorSink({ onError }: Pick<GatewayOptions, 'onError'>): (message: string) => void {
  return onError ?? ((message) => void process.stderr.write(`gateway: ${message}\n`));
}
