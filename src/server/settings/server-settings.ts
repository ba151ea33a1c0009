import { z } from 'zod';
import { modelSchema, type ResolvedProfile } from '../../config/profile.ts';
import type { ProviderName } from '../../config/provider-names.ts';
import { databaseSchema, secureUrlSchema, telemetrySchema } from '../../gateway/settings/common-settings.ts';
import { kmsSettingsSchema } from '../../secrets/kms/kms-settings.ts';
import { environments, slippageSchema } from '../../trading/order.ts';
import { DEFAULT_TTL_S } from '../../trading/proposal.ts';

const baseAddress = secureUrlSchema.refine(
  (text) => !/[?#]|.\/$/.test(text),
  'must not end in "/" or have a query or fragment',
);

/** Schema of `server.yaml`: settings that a server and its workers share, without secrets. */
export const serverSettingsSchema = z.strictObject({
  address: baseAddress.describe(
    "The server's public address: its resource identifier (RFC 8707), and the `aud` of its tokens.",
  ),
  issuer: secureUrlSchema.describe('issuer URL of the identity provider'),
  client_id: z
    .string()
    .min(1)
    .describe(
      "Client ID with which the server authenticates to the identity provider (`private_key_jwt`) to exchange people's tokens (RFC 8693).",
    ),
  key_file: z
    .string()
    .min(1)
    .default('key.json')
    .describe(
      'File with the private key of this client, created by "server key": a path, or a file name in the server’s folder.',
    ),
  login_client: z
    .string()
    .min(1)
    .optional()
    .describe(
      'The public client with which people sign in (RFC 8628). Defaults to `trade-agent`, which every home has.',
    ),
  gateway: baseAddress.describe('URL of the order gateway'),
  environment: z
    .enum(environments)
    .default('paper')
    .describe('`live` trades real money; the gateway must have the same setting'),
  database: databaseSchema.describe(
    'A PostgreSQL database: the location of its URL (`url_file` or `url_env`), and the `tenant` to use.',
  ),
  kms: kmsSettingsSchema.describe("The key management service that wraps the keys that encrypt people's sessions."),
  model: modelSchema
    .prefault({})
    .describe('The language model, configured as in a profile. Its API key is in the environment.'),
  max_slippage: slippageSchema
    .default('0.01')
    .describe('Maximum deviation from the price at which an order was proposed, as a fraction.'),
  telemetry: telemetrySchema.optional().describe('Metrics and traces. Off by default.'),
});
export type ServerSettings = z.output<typeof serverSettingsSchema>;

const SERVER_PROFILE = 'server';

/** Returns the server's settings as a profile for agents and sessions. Its login client is the server's own client. */
export function toServerProfile(settings: ServerSettings, provider: ProviderName): ResolvedProfile {
  const { issuer, gateway, environment, client_id, model, max_slippage } = settings;
  return {
    name: SERVER_PROFILE,
    sandbox: false,
    provider,
    issuer,
    gateway,
    audience: gateway,
    environment,
    model,
    max_slippage,
    login_client: { client_id },
    // Unused, because people's secrets are in the database.
    credential_store: 'file',
    approval_ttl: DEFAULT_TTL_S,
    phone: undefined,
  };
}
