import type { CibaAskingOptions } from '../approval/ciba/ciba-asking.ts';
import type { Quotas } from '../approval/kernel/quotas.ts';
import type { IsTakenBack } from '../approval/kernel-parts.ts';
import type { Keys } from '../approval/keys/keys.ts';
import type { Clock } from '../machine/clock.ts';
import type { SealSecrets } from '../secrets/token-seal.ts';
import type { GatewayStores } from '../store/gateway-stores.ts';
import type { Rate } from '../store/rate-buckets.ts';
import type { BrokerExchange } from './broker/broker-token.ts';
import type { NamedBroker } from './broker/named-broker.ts';
import type { RequestLog } from './door/door.ts';
import type { IsRevoked } from './door/token-verifier.ts';
import type { MessageServices } from './messages/message-outlets.ts';
import type { Mount } from './mounts/mount.ts';
import type { UnexplainedOrder } from './orders/reconciliation.ts';
import type { RulesSource } from './policy/rules.ts';
import type { RelationsOptions } from './relations/relations-settings.ts';
import type { AnchorSettings } from './settings/common-settings.ts';

export interface RequestRates {
  /** For one account at each broker (default: the broker's documented rate; `off`: unlimited). */
  readonly broker?: Rate | 'off' | undefined;
  /** To the identity provider, for approvals. */
  readonly provider?: Rate | undefined;
}

export interface GatewayOptions {
  /** The identity provider: https, or http on loopback. */
  readonly issuer: string;
  /** The gateway's resource identifier (RFC 8707): its base URL, and the expected `aud`. */
  readonly resource: string;
  /** The RFC 9396 type of approvals at this provider. */
  readonly detailsType?: string;
  /** Required for messages, and for accounts that are not opened by key pairs. */
  readonly exchange?: BrokerExchange;
  /** At least one; each person has at most one account at each. */
  readonly brokers: readonly NamedBroker[];
  /** Of all accounts: no gateway trades both paper and live money. */
  readonly environment: 'paper' | 'live';
  /** Seals people's key pairs at the broker. */
  readonly sealSecret?: SealSecrets;
  /** The caller closes them. */
  readonly stores: GatewayStores;
  readonly clock?: Clock;
  readonly fetch?: typeof fetch;
  /** The RFC 9396 type of approvals of messages at this provider. */
  readonly messageDetailsType?: string;
  readonly messages?: MessageServices;
  readonly rules?: RulesSource;
  readonly relations?: RelationsOptions;
  /** Whether the sign-in of the proposing client was revoked, if that can be asked at each use. */
  readonly isTakenBack?: IsTakenBack;
  /** Whether the provider has this `sub`; access is granted only to those. */
  readonly isKnown?: (sub: string) => boolean;
  /** Called for an open order of this gateway that no proposal accounts for (default: `onError`). */
  readonly onUnexplainedOrder?: (found: UnexplainedOrder) => void;
  readonly log?: RequestLog;
  /** Called for internal errors; never with a token. */
  readonly onError?: (message: string) => void;
  /** Shared by all gateways over the same stores. */
  readonly rates?: RequestRates;
  /** Time-stamps the record's checkpoints. `ca_file` is a path. */
  readonly anchor?: AnchorSettings;
  /** One request, milliseconds; at most 15 s, so that a lost one is over before it may be repeated. */
  readonly brokerTimeoutMs?: number;
  /** One request, milliseconds. */
  readonly providerTimeoutMs?: number;
  /** Without it there are no proposals. */
  readonly approval?: GatewayApproval;
  /** The keys that people sign approvals with (a home's). */
  readonly keys?: Pick<Keys, 'check' | 'site'>;
  /** Refuses access tokens that are bound to no key (RFC 9449). */
  readonly requireBoundTokens?: boolean;
  /** Whether an access token's session has ended, if the provider can be asked at each request. */
  readonly isRevoked?: IsRevoked;
  /** In addition to `ownClients` (default: every client). */
  readonly allowedClients?: readonly string[];
  /** The clients that our own users sign in with. */
  readonly ownClients?: readonly string[];
  /** Default for proposals, as a fraction of the reference price. */
  readonly maxSlippage?: string;
  /** Other endpoints at this address, with tokens of their own. */
  readonly mounts?: readonly Mount[];
}

/** The gateway as CIBA client, beside its other options. */
export interface GatewayApproval
  extends Pick<CibaAskingOptions, 'client' | 'privateKey' | 'provider' | 'details' | 'delivery'> {
  readonly method: 'ciba';
  /**
   * Whether approvals must be signed by the person's own key; `live`: those of live money. Needs {@link
   * GatewayOptions.keys}.
   */
  readonly signature: 'required' | 'live' | 'off';
  /** Path of `audit.jsonl`. */
  readonly auditFile: string;
  /** Seals approval tokens; must not change while one is stored. */
  readonly sealSecret: SealSecrets;
  /** Per client and person (default {@link defaultQuotas}). */
  readonly quotas?: Quotas;
  /** Seconds. */
  readonly maxTtl: number;
  /** Where the person decides, if that is a page. */
  readonly phoneUrl?: string;
}

/** Default: standard error. */
export function errorSink({ onError }: Pick<GatewayOptions, 'onError'>): (message: string) => void {
  return onError ?? ((message) => void process.stderr.write(`gateway: ${message}\n`));
}
