import { z } from 'zod';
import { modelSchema, type ResolvedProfile } from '../../config/profile.ts';
import type { ProviderName } from '../../config/provider-names.ts';
import { databaseSchema, secureAddress, telemetrySchema } from '../../gateway/settings/common-settings.ts';
import { temporalSchema } from '../../jobs/temporal/temporal-settings.ts';
import { kmsSchema } from '../../secrets/kms/kms-settings.ts';
import { environments, slippageSchema } from '../../trading/order.ts';
import { DEFAULT_TTL_S } from '../../trading/proposal.ts';

const baseAddress = secureAddress.refine(
  (text) => !/[?#]|.\/$/.test(text),
  'must not end in "/", nor have a query or fragment',
);

/** `server.yaml`: the common settings of a server and its workers; nothing secret. */
export const serverSettingsSchema = z.strictObject({
  address: baseAddress.describe(
    "The server's public address: its resource identifier (RFC 8707), and the `aud` of its tokens.",
  ),
  issuer: secureAddress.describe('the identity provider whose tokens count'),
  client_id: z
    .string()
    .min(1)
    .describe("The server's client there, which exchanges people's tokens (RFC 8693) by `private_key_jwt`."),
  key_file: z
    .string()
    .min(1)
    .default('key.json')
    .describe(
      'Holds the private key of that client ("server key" makes one): a path, or a name in the folder.',
    ),
  login_client: z
    .string()
    .min(1)
    .optional()
    .describe(
      'The public client there that people sign in by (RFC 8628); `trade-agent`, as at every home, by itself.',
    ),
  gateway: baseAddress.describe('the order gateway'),
  environment: z.enum(environments).default('paper').describe('`live` is real money; the gateway must agree'),
  database: databaseSchema.describe(
    'A PostgreSQL database: where its address is (`url_file` or `url_env`), and whose part of it (`tenant`).',
  ),
  kms: kmsSchema.describe("By what the keys are wrapped under which people's sessions are sealed."),
  jobs: z
    .strictObject({
      temporal: temporalSchema.describe('A Temporal server, and by what workers are known to it.'),
    })
    .optional()
    .describe(
      'What does the jobs, where it is not the database itself; the same for all servers and workers.',
    ),
  model: modelSchema
    .prefault({})
    .describe('Which model answers; as that of a profile. The key of its server is in the environment.'),
  max_slippage: slippageSchema
    .default('0.01')
    .describe('Maximum deviation from the price at which an order was proposed, as a fraction.'),
  telemetry: telemetrySchema.optional().describe('How it is measured; not at all where this is left out.'),
});
export type ServerSettings = z.output<typeof serverSettingsSchema>;

/** The profile name of threads at a server. */
const SERVER_PROFILE = 'server';

/** The server's settings as a profile for agent and sessions: its login client is the server's own. */
export function serverProfile(settings: ServerSettings, provider: ProviderName): ResolvedProfile {
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
    // Unused: people's secrets are in the database.
    credential_store: 'file',
    approval_ttl: DEFAULT_TTL_S,
    phone: undefined,
  };
}
