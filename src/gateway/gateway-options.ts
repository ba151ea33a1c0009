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
  /** For one account at each broker; `off`: whatever the broker says that it takes. That, where this is left out. */
  readonly broker?: Rate | 'off' | undefined;
  /** To the identity provider, for approvals. */
  readonly provider?: Rate | undefined;
}

export interface GatewayOptions {
  /** The identity provider, whose tokens alone count; https, or http on loopback. Found by discovery. */
  readonly issuer: string;
  /** The gateway's own resource identifier (RFC 8707): its base URL, and the expected `aud`. */
  readonly resource: string;
  /** The RFC 9396 type that approvals have at this provider. */
  readonly detailsType?: string;
  /** Needed unless the broker's accounts are opened by key pairs; messages always go by it. */
  readonly exchange?: BrokerExchange;
  /** At least one; each person has one account at each, at most. */
  readonly brokers: readonly NamedBroker[];
  /** Of all accounts: paper and live money are never traded by one gateway. */
  readonly environment: 'paper' | 'live';
  /** The gateway's own, that people's key pairs at the broker are sealed under; needed where there are such. */
  readonly sealSecret?: SealSecrets;
  /** All that it keeps; their owner closes what is below them. */
  readonly stores: GatewayStores;
  readonly clock?: Clock;
  readonly fetch?: typeof fetch;
  /** The RFC 9396 type that approvals of messages have at this provider. */
  readonly messageDetailsType?: string;
  /** By what approved messages go out; by nothing where this is left out. */
  readonly messages?: MessageServices;
  /** What orders are held to beside what the broker and the market ask; to nothing where it is left out. */
  readonly rules?: RulesSource;
  /** Who says how people stand to accounts; the gateway itself where it is left out. */
  readonly relations?: RelationsOptions;
  /** Whether what a client proposed was taken back since by whoever let it in, where that can be asked at each use. */
  readonly isTakenBack?: IsTakenBack;
  /** Whether the provider has somebody of this `sub`, where it can be asked: only such are let at an account. */
  readonly isKnown?: (sub: string) => boolean;
  /** Told of an open order of this gateway's that no proposal accounts for; `onError` is told where this is left out. */
  readonly onUnexplainedOrder?: (found: UnexplainedOrder) => void;
  readonly log?: RequestLog;
  /** Told of what went wrong inside the kernel; never holds a token. */
  readonly onError?: (message: string) => void;
  /** How fast it asks others, all gateways over the same stores together. */
  readonly rates?: RequestRates;
  /** Who says when the record's checkpoints were there; nobody where it is left out. `ca_file` is a path. */
  readonly anchor?: AnchorSettings;
  /** One request to the broker, milliseconds; at most 15 s, so that a lost one is over before it may be repeated. */
  readonly brokerTimeoutMs?: number;
  /** One request to the identity provider, milliseconds. */
  readonly providerTimeoutMs?: number;
  /** How the owner is asked; proposals are refused where it is left out. */
  readonly approval?: GatewayApproval;
  /** The keys that people sign approvals with: a home's. */
  readonly keys?: Pick<Keys, 'check' | 'site'>;
  /** Refuses access tokens that are bound to no key (RFC 9449). */
  readonly requireBoundTokens?: boolean;
  /** Whether what an access token was issued under has ended, where the identity provider can be asked at each request. */
  readonly isRevoked?: IsRevoked;
  /** The clients whose access tokens count, beside `ownClients`; every client's where it is left out. */
  readonly allowedClients?: readonly string[];
  /** The clients our own users sign in by. */
  readonly ownClients?: readonly string[];
  /** A fraction: how far an order may go from its reference price where its proposal says nothing. */
  readonly maxSlippage?: string;
  /** What else is served at this address, each for tokens of its own. */
  readonly mounts?: readonly Mount[];
}

/** The gateway as the client that asks: what {@link CibaAskingOptions} need beside the gateway's own options. */
export interface GatewayApproval
  extends Pick<CibaAskingOptions, 'client' | 'privateKey' | 'provider' | 'details' | 'delivery'> {
  readonly method: 'ciba';
  /**
   * Whether approvals must be signed by a key of the person's own, also those of clients that ask by themselves; `live`: those
   * about live money. Anything but `off` needs {@link GatewayOptions.keys}.
   */
  readonly signature: 'required' | 'live' | 'off';
  /** Path of the gateway's record, `audit.jsonl`. */
  readonly auditFile: string;
  /** What approvals' tokens are sealed under: the gateway's own, and the same for as long as one is kept. */
  readonly sealSecret: SealSecrets;
  /** How much one client may ask of one person; {@link defaultQuotas} unless said otherwise. */
  readonly quotas?: Quotas;
  /** Seconds that a proposal may take at most. */
  readonly maxTtl: number;
  /** Where the person decides, where that is a page. */
  readonly phoneUrl?: string;
}

/** Who is told of what went wrong inside: standard error, where nobody is named. */
export function errorSink({ onError }: Pick<GatewayOptions, 'onError'>): (message: string) => void {
  return onError ?? ((message) => void process.stderr.write(`gateway: ${message}\n`));
}
