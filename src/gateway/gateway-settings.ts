import type { JWK } from 'jose';
import { z } from 'zod';
import { TRADE_ORDER_TYPE } from '../trading/approval-details.ts';
import { MESSAGE_SEND_TYPE } from '../trading/message-details.ts';
import type { GatewayOptions } from './gateway.ts';
import { isSecure } from './identity-provider.ts';

/** Alpaca's own addresses. */
const ALPACA = {
  paper: 'https://paper-api.alpaca.markets',
  live: 'https://api.alpaca.markets',
  data: 'https://data.alpaca.markets',
} as const;

const address = z
  .url()
  .refine((text) => isSecure(new URL(text)), 'must be an https address, or http on this machine (127.0.0.1)');

const messageService = z.strictObject({ audience: z.string().min(1), url: address.optional() });

/** What `gateway.yaml` says: everything about a gateway that is not secret. */
export const gatewaySettingsSchema = z.strictObject({
  /** The identity provider whose tokens count. */
  issuer: address,
  /** The gateway's public address: its resource identifier (RFC 8707), and the `aud` of its tokens. */
  resource: address.refine(
    (text) => !/[?#]|.\/$/.test(text),
    'must not end in "/", nor have a query or fragment',
  ),
  environment: z.enum(['paper', 'live']),
  /** How it gets a caller's token at the broker (RFC 8693): its client there, whose key is made by "gateway key". */
  exchange: z.strictObject({
    client_id: z.string().min(1),
    /** The broker's name at the identity provider: an audience, or a connection of the Token Vault. */
    audience: z.string().min(1),
    grant: z.enum(['rfc8693', 'auth0-token-vault']).default('rfc8693'),
  }),
  /** Where the broker is; Alpaca's own addresses unless said otherwise. */
  broker: z
    .strictObject({
      trading_url: address.optional(),
      data_url: address.optional(),
      simulated: z.boolean().default(false),
    })
    .prefault({}),
  details_type: z.string().min(1).default(TRADE_ORDER_TYPE),
  message_details_type: z.string().min(1).default(MESSAGE_SEND_TYPE),
  /** By what approved messages go out. */
  messages: z.strictObject({ slack: messageService, gmail: messageService }).partial().prefault({}),
});
export type GatewaySettings = z.output<typeof gatewaySettingsSchema>;

/** @param privateKey of the exchange client */
export function gatewayOptions(settings: GatewaySettings, privateKey: JWK): Omit<GatewayOptions, 'database'> {
  const { issuer, resource, environment, exchange, broker, details_type, message_details_type, messages } =
    settings;
  const tradingUrl = broker.trading_url ?? ALPACA[environment];
  return {
    issuer,
    resource,
    exchange: { ...exchange, privateKey },
    broker: {
      environment,
      tradingUrl,
      dataUrl: broker.data_url ?? broker.trading_url ?? ALPACA.data,
      simulated: broker.simulated,
    },
    detailsType: details_type,
    messageDetailsType: message_details_type,
    messages,
  };
}
