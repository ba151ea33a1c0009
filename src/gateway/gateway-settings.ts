import { join, resolve } from 'node:path';
import type { JWK } from 'jose';
import { z } from 'zod';
import { detailsTypeByKind } from '../approval/details.ts';
import { defaultQuotas, type Quota } from '../approval/kernel/quotas.ts';
import { providerDialect } from '../auth/provider/dialects.ts';
import { providerNames } from '../config/provider-names.ts';
import { kmsSettingsSchema } from '../secrets/kms/kms-settings.ts';
import type { SealSecrets } from '../secrets/token-seal.ts';
import type { RegistrationStorage } from '../store/registration-storage.ts';
import { TRADE_ORDER_DETAILS_TYPE } from '../trading/approval-details.ts';
import { MESSAGE_SEND_DETAILS_TYPE } from '../trading/message-details.ts';
import { slippageSchema } from '../trading/order.ts';
import { MAX_TTL_S, MIN_TTL_S } from '../trading/proposal.ts';
import { defined } from '../values/defined.ts';
import { brokerListSettingsShape, type NamedBroker, toNamedBrokers } from './broker/named-broker.ts';
import { isCredentialKind } from './broker/stored-kinds.ts';
import type { GatewayApprovalOptions, GatewayOptions } from './gateway-options.ts';
import { readRelationsOptions, relationsSchema } from './relations/relations-settings.ts';
import { anchorSchema, databaseSchema, secureUrlSchema, telemetrySchema } from './settings/common-settings.ts';

const rate = z.strictObject({
  per_second: z.number().positive().max(10_000),
  burst: z.number().int().min(1).max(10_000),
});
const rateOf = ({ per_second: perSecond, burst }: z.output<typeof rate>) => ({ perSecond, burst });

const rateOrOff = z
  .union([z.literal('off'), rate.transform(rateOf)], { error: 'must be "off", or have per_second and burst' })
  .optional();

const ratesSchema = z.strictObject({
  /**
   * Rate limit for one account at a broker (`off`: unlimited). Default: the broker's documented rate, if the gateway
   * uses the broker's own addresses and stores its data in PostgreSQL.
   */
  broker: rateOrOff,
  /** Rate limit for requests to the identity provider that concern approvals. Default: unlimited. */
  provider: rate.transform(rateOf).optional(),
  /** Rate limit for the reads of one person with one client, in each gateway (`off`: unlimited). */
  reads: rateOrOff,
  /** Rate limit for reads of receipts and the audit log, each of which may read the whole audit log's file. */
  receipts: rateOrOff,
  /** Rate limit for opening event streams. */
  streams: rateOrOff,
});

const messageService = z.strictObject({ audience: z.string().min(1), url: secureUrlSchema.optional() });

const clientId = z.string().min(1);

/** Returns the schema of a quota: the maximum number of open proposals, and of new proposals per hour. */
const quota = ({ open, hour }: Quota) =>
  z
    .strictObject({
      open: z.number().int().min(1).max(1_000).default(open),
      hour: z.number().int().min(1).max(10_000).default(hour),
    })
    .prefault({});

const approvalSchema = z
  .strictObject({
    method: z.literal('ciba', { error: 'the only supported method is "ciba"' }).default('ciba'),
    /**
     * `rar`: the approval's token contains the whole proposal (RFC 9396), and the gateway compares every field.
     * `message`: the phone shows only the binding message, and only the gateway's record says what was approved.
     */
    details: z.enum(['rar', 'message']).default('rar'),
    /**
     * Which approvals must be signed with the person's own key: all (`required`), only approvals for real money
     * (`live`), or none (`off`). Only a home has such keys.
     */
    signature: z.enum(['required', 'live', 'off']).default('off'),
    /**
     * The gateway's client for CIBA (default: the client in `exchange`). Both clients use the key that "gateway key"
     * creates.
     */
    client_id: clientId.optional(),
    /** Replaces `client_id`: the gateway registers itself (RFC 7591) and stores the new client ID in its folder. */
    registration: z.literal(true).optional(),
    /** File that contains the initial access token (RFC 7591 §3): a path, or a name in the folder. */
    registration_token_file: z.string().min(1).optional(),
    /** The identity provider's software, because products deviate from the standards. Detected if omitted. */
    provider: z.enum(providerNames).optional(),
    /**
     * `ping`: the provider calls `<resource>/ciba/ping` when the person has answered a request. The gateway also polls,
     * in case a call is lost.
     */
    delivery: z.enum(['poll', 'ping']).default('poll'),
    /** Maximum lifetime of a proposal, in seconds. */
    max_ttl: z.number().int().min(MIN_TTL_S).max(MAX_TTL_S).default(MAX_TTL_S),
    /**
     * Quotas for each client and person: `own` for the clients in `own_clients`, `other` for all other clients. For
     * `own_clients`, requests that the person typed are counted separately.
     */
    quotas: z
      .strictObject({
        own: quota(defaultQuotas.own),
        other: quota(defaultQuotas.other),
      })
      .prefault({}),
    /** URL of the page where the person approves or denies, shown next to the code. */
    phone_url: secureUrlSchema.optional(),
  })
  .refine(({ client_id, registration }) => client_id === undefined || registration === undefined, {
    path: ['registration'],
    error: 'set either client_id or registration, not both',
  })
  .refine(
    ({ registration, registration_token_file }) => registration !== undefined || registration_token_file === undefined,
    { path: ['registration_token_file'], error: 'is for "registration: true"' },
  )
  .refine(({ details, provider }) => details === 'message' || providerDialect({ provider }).details !== 'never', {
    path: ['details'],
    error: 'this provider does not support authorization details: use "message", which is allowed for paper accounts',
  });

/** The contents of `gateway.yaml`: all settings of a gateway that are not secret. */
const settingsSchema = z.strictObject({
  issuer: secureUrlSchema,
  /** The gateway's public address: its resource identifier (RFC 8707), and the `aud` of its tokens. */
  resource: secureUrlSchema.refine(
    (text) => !/[?#]|.\/$/.test(text),
    'must not end in "/" or have a query or fragment',
  ),
  /**
   * Names the gateway in approvals, receipts and the audit log (default: `resource`). A gateway that moves to another
   * address keeps its former `resource` here, so that earlier signatures stay valid.
   */
  identifier: secureUrlSchema.optional(),
  environment: z.enum(['paper', 'live']),
  /**
   * The gateway's client for exchanging a caller's token for a broker's token (RFC 8693). Its key is created by
   * "gateway key". Not needed if accounts are accessed with key pairs and no messages are sent.
   */
  exchange: z
    .strictObject({
      client_id: clientId,
      /** The broker's name at the identity provider: an audience, or a Token Vault connection. */
      audience: z.string().min(1),
      grant: z.enum(['rfc8693', 'auth0-token-vault']).default('rfc8693'),
    })
    .optional(),
  ...brokerListSettingsShape,
  /** Default: a database in the gateway's folder. */
  database: databaseSchema.optional(),
  /**
   * The key management service that encrypts the gateway's own keys. The keys are then stored in the database, and all
   * gateways that use this database share them.
   */
  kms: kmsSettingsSchema.optional(),
  details_type: z.string().min(1).default(TRADE_ORDER_DETAILS_TYPE),
  message_details_type: z.string().min(1).default(MESSAGE_SEND_DETAILS_TYPE),
  messages: z.strictObject({ slack: messageService, gmail: messageService }).partial().prefault({}),
  approval: approvalSchema.prefault({}),
  /** The server that stores who may do what with which account: this gateway, or another server. */
  relations: relationsSchema.prefault({ kind: 'embedded' }),
  /** Whether to reject tokens that are not bound to a key (RFC 9449). */
  require_bound_tokens: z.boolean().default(true),
  /** IDs of the clients that are allowed in addition to `own_clients` (default: every client). */
  allowed_clients: z.array(clientId).optional(),
  /** IDs of the operator's own clients, which have higher quotas. */
  own_clients: z.array(clientId).default([]),
  /** Default maximum slippage of proposals, as a fraction of the reference price. */
  max_slippage: slippageSchema.default('0.01'),
  rates: ratesSchema.optional(),
  anchor: anchorSchema.optional(),
  telemetry: telemetrySchema.optional(),
});

export const gatewaySettingsSchema = settingsSchema
  .refine(
    ({ environment, approval }) =>
      environment === 'paper' || approval.details === 'rar' || approval.signature !== 'off',
    {
      path: ['approval', 'details'],
      error:
        'must not be "message" for live money, because only this gateway’s own record would show what the person approved',
    },
  )
  .refine(({ kms, database }) => kms === undefined || database !== undefined, {
    path: ['kms'],
    error: 'requires "database", because that is where the encrypted keys are stored',
  })
  .refine(({ broker, brokers }) => broker === undefined || brokers === undefined, {
    path: ['brokers'],
    error: 'set either broker (for one) or brokers (for several), not both',
  })
  .transform(({ broker, brokers, ...settings }) => ({
    ...settings,
    brokers: toNamedBrokers({ broker, brokers }),
    brokersKey: brokers === undefined ? ('broker' as const) : ('brokers' as const),
  }))
  .superRefine(({ brokers, brokersKey, exchange, messages, approval }, context) => {
    const wrong = (path: string[], message: string) => context.addIssue({ code: 'custom', path, message });
    const byKept = brokers.every(({ credentials }) => isCredentialKind(credentials));
    const pathOf = ({ name }: NamedBroker) => (brokersKey === 'broker' ? ['broker'] : ['brokers', name]);
    const sends = Object.values(messages).some((service) => service !== undefined);
    if (exchange === undefined && !byKept)
      wrong(
        ['exchange'],
        'is missing: without it, the gateway can’t get tokens for accounts at the broker, unless people enter their own key pairs ("broker.credentials: key_pair")',
      );
    else if (exchange === undefined && sends) wrong(['messages'], 'need tokens from "exchange", which is not set');
    else if (exchange === undefined && approval.client_id === undefined && !approval.registration)
      wrong(['approval'], 'must name the client if "exchange" is not set: client_id, or registration: true');
    for (const broker of brokers) {
      if (isCredentialKind(broker.credentials) && broker.unattended !== undefined)
        wrong(
          [...pathOf(broker), 'unattended'],
          'is only for "credentials: exchange": the other credentials already work unattended',
        );
    }
    // Each broker needs its own audience, because one broker's token must never be sent to another.
    const audiences = brokers.flatMap((broker) =>
      isCredentialKind(broker.credentials) ? [] : [{ broker, audience: broker.audience ?? exchange?.audience }],
    );
    for (const [at, { broker, audience }] of audiences.entries()) {
      if (audiences.findIndex((one) => one.audience === audience) < at)
        wrong(
          [...pathOf(broker), 'audience'],
          'must be unique: another broker here has the same name at the identity provider',
        );
    }
    if (exchange !== undefined && byKept && !sends)
      wrong(['exchange'], 'is not needed: accounts are opened with people’s own credentials, and no messages are sent');
  });
export type GatewaySettings = z.output<typeof gatewaySettingsSchema>;

export interface GatewaySecrets {
  /** The private key of the gateway's clients at the identity provider. */
  readonly privateKey: JWK;
  readonly sealSecret: SealSecrets;
  /** Stores the client registration (default: a file in the gateway's folder). */
  readonly registration?: RegistrationStorage;
}

export function createGatewayOptions(
  settings: GatewaySettings,
  secrets: GatewaySecrets,
  folder: string,
): Omit<GatewayOptions, 'stores'> {
  const { issuer, resource, environment, exchange, brokers, messages } = settings;
  return {
    issuer,
    resource,
    ...defined({ identifier: settings.identifier }),
    ...(exchange === undefined ? {} : { exchange: { ...exchange, privateKey: secrets.privateKey } }),
    brokers,
    environment,
    sealSecret: secrets.sealSecret,
    detailsType: settings.details_type,
    messageDetailsType: settings.message_details_type,
    messages,
    approval: approvalOptions(settings, secrets, folder),
    relations: readRelationsOptions(settings.relations, folder),
    requireBoundTokens: settings.require_bound_tokens,
    ...defined({ allowedClients: settings.allowed_clients }),
    ownClients: settings.own_clients,
    maxSlippage: settings.max_slippage,
    ...defined({ rates: settings.rates }),
    ...anchorOptions(settings, folder),
  };
}

function anchorOptions({ anchor }: GatewaySettings, folder: string): Pick<GatewayOptions, 'anchor'> {
  if (anchor === undefined) return {};
  const { ca_file, ...rest } = anchor;
  return { anchor: ca_file === undefined ? rest : { ...rest, ca_file: resolve(folder, ca_file) } };
}

/** Returns the RFC 9396 types of all approvals, as the provider names them. */
export function listAuthorizationDetailsTypes({ details_type, message_details_type }: GatewaySettings): string[] {
  return Object.values({ ...detailsTypeByKind, order: details_type, message: message_details_type });
}

function approvalOptions(
  settings: GatewaySettings,
  { privateKey, sealSecret, registration }: GatewaySecrets,
  folder: string,
): GatewayApprovalOptions {
  const { approval, exchange } = settings;
  const { method, details, signature, provider, delivery, max_ttl, quotas, phone_url } = approval;
  return {
    method,
    details,
    signature,
    client: approval.registration
      ? {
          ...(registration === undefined
            ? { registrationFile: join(folder, 'registered-client.json') }
            : { registration }),
          tokenFile: approval.registration_token_file && resolve(folder, approval.registration_token_file),
        }
      : { id: approval.client_id ?? exchange?.client_id ?? '' },
    privateKey,
    sealSecret,
    delivery,
    quotas,
    maxTtl: Math.min(max_ttl, providerDialect({ provider }).maxApprovalTtl),
    ...defined({ provider, phoneUrl: phone_url }),
  };
}
