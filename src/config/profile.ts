import { isAbsolute } from 'node:path';
import { z } from 'zod';
import { INSECURE_URL, isSecureUrl } from '../net/secure-url.ts';
import { decimalString } from '../trading/decimal.ts';
import { environments, slippageSchema } from '../trading/order.ts';
import { DEFAULT_TTL_S, LONGEST_TTL_S, SHORTEST_TTL_S } from '../trading/proposal.ts';
import { mcpServersSchema } from './mcp-servers.ts';
import { noticesSchema } from './notice-channels.ts';
import { providerNames } from './provider-names.ts';
import { themeNames } from './theme-name.ts';

const connectionName = z.string().min(1).max(128);

const httpUrl = z.url({ protocol: /^https?$/ });

/** A company's identity provider, and trade-agent's client there. */
const companySignInSchema = z.strictObject({
  issuer: httpUrl.describe("the company's identity provider: its issuer, an address"),
  client_id: z
    .string()
    .min(1)
    .max(256)
    .describe('the client that is registered there for trade-agent; it proves itself by a key'),
});
export type CompanySignIn = z.output<typeof companySignInSchema>;

export const modelSchema = z.strictObject({
  provider: z
    .enum(['builtin', 'openai'])
    .default('builtin')
    .describe("`builtin` is the offline planner; `openai` any server that speaks OpenAI's chat API."),
  name: z.string().optional().describe('the model, as its server calls it'),
  base_url: httpUrl
    .refine(isSecureUrl, INSECURE_URL)
    .optional()
    .describe('What is asked and answered, and the key, cross the network: never in the clear.'),
  context_tokens: z
    .number()
    .int()
    .min(2048)
    .max(10_000_000)
    .optional()
    .describe('Tokens that the model reads at most, prompt and answer together, as its server is set up.'),
  price: z
    .strictObject({ input: decimalString, output: decimalString })
    .optional()
    .describe("Dollars for a million tokens, for servers that don't say what an answer cost."),
});

/** A profile of `config.yaml`: a user's account at one identity provider, gateway and broker. */
export const profileSchema = z.strictObject({
  sandbox: z
    .boolean()
    .default(false)
    .describe('True for the sandbox, whose addresses are read from its ready file at each start.'),
  provider: z
    .enum(providerNames)
    .optional()
    .describe('Whose dialect the issuer speaks: "profile add" finds out; `standard` where nothing is said.'),
  issuer: httpUrl.optional().describe('the identity provider: its issuer, an address'),
  gateway: httpUrl.optional().describe('the order gateway: an address'),
  server: httpUrl
    .optional()
    .describe(
      'A `trade-agent server`, in the place of the gateway: the agent runs there, and issuer and login client are what it says where they are not here.',
    ),
  audience: z
    .string()
    .optional()
    .describe('The resource indicator (RFC 8707) of the gateway; its URL unless said otherwise.'),
  environment: z.enum(environments).default('paper').describe('`live` is real money; the gateway must agree'),
  account_of: z
    .string()
    .min(1)
    .max(256)
    .optional()
    .describe(
      "Whose account it is about, where that is not one's own: the owner's user name (`sub`), who lets one at it.",
    ),
  login_client: z
    .strictObject({ client_id: z.string() })
    .optional()
    .describe('the public client of the device flow, as the provider registered it'),
  company: companySignInSchema
    .optional()
    .describe(
      "The person's company, where its word is what lets them in at the home; `login --company` writes it.",
    ),
  dpop: z
    .boolean()
    .optional()
    .describe(
      "Whether tokens are bound to this machine's key (RFC 9449); they are where the provider can, unless this is false.",
    ),
  credential_store: z
    .enum(['keychain', 'file'])
    .optional()
    .describe('where tokens and keys are kept: the operating system’s keychain, or an encrypted file'),
  credential_key: z
    .string()
    .refine(
      (key) => key === 'passphrase' || isAbsolute(key),
      'must be "passphrase" or the whole path of a key file',
    )
    .optional()
    .describe(
      'What opens the credential file: a passphrase, or a key file. Absent: a key file of its own beside it.',
    ),
  model: modelSchema.prefault({}),
  max_slippage: slippageSchema
    .default('0.01')
    .describe('How far an order may go from the price it was proposed at: a fraction.'),
  approval_ttl: z
    .number()
    .int()
    .min(SHORTEST_TTL_S)
    .max(LONGEST_TTL_S)
    .default(DEFAULT_TTL_S)
    .describe('How long an approval may take, in seconds.'),
  connections: z
    .strictObject({ broker: connectionName, slack: connectionName, gmail: connectionName })
    .partial()
    .optional()
    .describe(
      'What the accounts elsewhere are called at the provider, where not by the names here ("connections list").',
    ),
  live_login_max_age: z
    .number()
    .int()
    .min(60)
    .max(86_400)
    .optional()
    .describe(
      "Live money: how long after signing in the session's first order may be asked for, in seconds; 900 by itself.",
    ),
  notices: noticesSchema
    .optional()
    .describe("Who is told what a check found, by a name of the person's own."),
  mcp_servers: mcpServersSchema
    .optional()
    .describe("Other people's MCP servers, and what of them the language model is offered."),
});
export type Profile = z.output<typeof profileSchema>;

export const configSchema = z.strictObject({
  default_profile: z
    .string()
    .optional()
    .describe('the profile in use where no --profile is given; `sandbox` by itself'),
  history: z
    .boolean()
    .optional()
    .describe('Whether the chat keeps what was typed, for the next time; it does unless this says false.'),
  theme: z
    .enum(themeNames)
    .optional()
    .describe('Colours of the terminal; dark by itself. NO_COLOR and pipes win.'),
  attention: z
    .boolean()
    .optional()
    .describe(
      "Whether the terminal's bell, notification and title say that the phone is needed; they do unless this says false.",
    ),
  profiles: z.record(z.string().regex(/^[a-z0-9][a-z0-9_-]{0,31}$/), profileSchema).default({}),
});
export type Config = z.output<typeof configSchema>;

/** A profile whose addresses are known; used by everything below the cli. */
export interface ResolvedProfile extends Profile {
  readonly name: string;
  readonly issuer: string;
  readonly gateway: string;
  readonly audience: string;
  readonly login_client: { readonly client_id: string };
  readonly credential_store: 'keychain' | 'file';
  /** Where the person approves, for display; undefined where the provider pushes to its own app. */
  readonly phone: string | undefined;
}

/** Where a profile keeps its secrets. */
export interface StorePlace {
  readonly credential_store: 'keychain' | 'file';
  /** For a file: `passphrase`, or the path of a key file; by default a key file beside it. */
  readonly credential_key?: string | undefined;
}
