import { isAbsolute } from 'node:path';
import { z } from 'zod';
import { INSECURE_URL_MESSAGE, isSecureUrl } from '../net/secure-url.ts';
import { decimalString } from '../trading/decimal.ts';
import { environments, slippageSchema } from '../trading/order.ts';
import { DEFAULT_TTL_S, MAX_TTL_S, MIN_TTL_S } from '../trading/proposal.ts';
import { mcpServersSchema } from './mcp-servers.ts';
import { noticeChannelsConfigSchema } from './notice-channels.ts';
import { providerNames } from './provider-names.ts';
import { themeNames } from './theme-name.ts';

const connectionName = z.string().min(1).max(128);

const httpUrl = z.url({ protocol: /^https?$/ });

/** A company's identity provider, and trade-agent's client ID at that provider. */
const companySignInSchema = z.strictObject({
  issuer: httpUrl.describe("issuer URL of the company's identity provider"),
  client_id: z
    .string()
    .min(1)
    .max(256)
    .describe('client ID that is registered for trade-agent at that provider; trade-agent authenticates with a key'),
});
export type CompanySignIn = z.output<typeof companySignInSchema>;

export const modelSchema = z.strictObject({
  provider: z
    .enum(['builtin', 'openai'])
    .default('builtin')
    .describe("`builtin` is the offline planner; `openai` is any server with OpenAI's chat API."),
  name: z.string().optional().describe('the model name to send to the server'),
  base_url: httpUrl
    .refine(isSecureUrl, INSECURE_URL_MESSAGE)
    .optional()
    .describe('Must be https, because prompts, answers and the API key cross the network.'),
  context_tokens: z
    .number()
    .int()
    .min(2048)
    .max(10_000_000)
    .optional()
    .describe('The model’s context size in tokens (prompt and answer together), as configured on its server.'),
  price: z
    .strictObject({ input: decimalString, output: decimalString })
    .optional()
    .describe("Dollars per million tokens, for servers that don't report an answer's cost."),
});

/** A profile in `config.yaml`: a user's account at one identity provider, gateway and broker. */
export const profileSchema = z.strictObject({
  sandbox: z
    .boolean()
    .default(false)
    .describe('True for the sandbox, whose addresses are read from its ready file each time.'),
  provider: z
    .enum(providerNames)
    .optional()
    .describe('The issuer’s dialect, detected by "profile add". Defaults to `standard`.'),
  issuer: httpUrl.optional().describe('issuer URL of the identity provider'),
  gateway: httpUrl.optional().describe('URL of the order gateway'),
  server: httpUrl
    .optional()
    .describe(
      'URL of a `trade-agent server`, instead of a gateway. The agent runs on that server. Issuer and login client default to the ones that the server reports.',
    ),
  audience: z.string().optional().describe('The gateway’s resource indicator (RFC 8707). Defaults to its URL.'),
  environment: z
    .enum(environments)
    .default('paper')
    .describe('`live` trades real money; the gateway must have the same setting'),
  account_of: z
    .string()
    .min(1)
    .max(256)
    .optional()
    .describe("User ID (`sub`) of the account's owner, if you use an account that somebody else gave you access to."),
  login_client: z
    .strictObject({ client_id: z.string() })
    .optional()
    .describe('the public client for the device flow, as registered at the provider'),
  company: companySignInSchema
    .optional()
    .describe('Your company, if you sign in to the home through it. Written by `login --company`.'),
  dpop: z
    .boolean()
    .optional()
    .describe(
      "Whether tokens are bound to this machine's key (RFC 9449). By default, they are bound if the provider supports it.",
    ),
  credential_store: z
    .enum(['keychain', 'file'])
    .optional()
    .describe('where tokens and keys are stored: the operating system’s keychain, or an encrypted file'),
  credential_key: z
    .string()
    .refine((key) => key === 'passphrase' || isAbsolute(key), 'must be "passphrase" or the absolute path of a key file')
    .optional()
    .describe(
      'What unlocks the credential file: `passphrase`, or the path of a key file. Defaults to a key file next to it.',
    ),
  model: modelSchema.prefault({}),
  max_slippage: slippageSchema
    .default('0.01')
    .describe('Maximum deviation from the price at which an order was proposed, as a fraction.'),
  approval_ttl: z
    .number()
    .int()
    .min(MIN_TTL_S)
    .max(MAX_TTL_S)
    .default(DEFAULT_TTL_S)
    .describe('Time allowed for an approval, in seconds.'),
  connections: z
    .strictObject({ broker: connectionName, slack: connectionName, gmail: connectionName })
    .partial()
    .optional()
    .describe('Connection names at the provider, if they differ from the names in "connections list".'),
  live_login_max_age: z
    .number()
    .int()
    .min(60)
    .max(86_400)
    .optional()
    .describe(
      "Live accounts: maximum time between signing in and the session's first order, in seconds. Defaults to 900.",
    ),
  notices: noticeChannelsConfigSchema.optional().describe('Where check results are sent, by a name that you choose.'),
  mcp_servers: mcpServersSchema
    .optional()
    .describe('Third-party MCP servers, and which of their tools are offered to the language model.'),
});
export type Profile = z.output<typeof profileSchema>;

export const configSchema = z.strictObject({
  default_profile: z.string().optional().describe('the profile to use without --profile; `sandbox` by default'),
  history: z.boolean().optional().describe('Whether the chat saves your input history. Defaults to true.'),
  theme: z
    .enum(themeNames)
    .optional()
    .describe('Terminal color theme. Defaults to dark. NO_COLOR and pipes take precedence.'),
  attention: z
    .boolean()
    .optional()
    .describe(
      "Whether the terminal's bell, notification and title signal that an approval is waiting on your phone. Defaults to true.",
    ),
  profiles: z.record(z.string().regex(/^[a-z0-9][a-z0-9_-]{0,31}$/), profileSchema).default({}),
});
export type Config = z.output<typeof configSchema>;

/** A profile with all its addresses resolved, as used by all code outside the CLI. */
export interface ResolvedProfile extends Profile {
  readonly name: string;
  readonly issuer: string;
  readonly gateway: string;
  readonly audience: string;
  readonly login_client: { readonly client_id: string };
  readonly credential_store: 'keychain' | 'file';
  /** Address of the phone app, for display. Undefined if the provider sends push notifications to its own app. */
  readonly phone: string | undefined;
}

export interface CredentialLocation {
  readonly credential_store: 'keychain' | 'file';
  /** For a file: `passphrase`, or the path of a key file. Defaults to a key file next to the credential file. */
  readonly credential_key?: string | undefined;
}
