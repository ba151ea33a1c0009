import { isAbsolute } from 'node:path';
import { z } from 'zod';
import { INSECURE_URL, isSecureUrl } from '../net/secure-url.ts';
import { decimalString } from '../trading/decimal.ts';
import { environments, slippageSchema } from '../trading/order.ts';
import { DEFAULT_TTL_S, LONGEST_TTL_S, SHORTEST_TTL_S } from '../trading/proposal.ts';
import { mcpServersSchema } from './mcp-servers.ts';
import { noticesSchema } from './notice-channels.ts';
import { providerNames } from './provider/dialects.ts';

/** As a provider names it. */
const connectionName = z.string().min(1).max(128);

const httpUrl = z.url({ protocol: /^https?$/ });

export const modelSchema = z.strictObject({
  /** `builtin` is the offline planner; `openai` any server that speaks OpenAI's chat API. */
  provider: z.enum(['builtin', 'openai']).default('builtin'),
  name: z.string().optional(),
  /** What is asked and answered, and the key, cross the network: never in the clear. */
  base_url: httpUrl.refine(isSecureUrl, INSECURE_URL).optional(),
  /** Tokens that the model reads at most, prompt and answer together, as its server is set up. */
  context_tokens: z.number().int().min(2048).max(10_000_000).optional(),
  /** Dollars for a million tokens, for servers that don't say what an answer cost. */
  price: z.strictObject({ input: decimalString, output: decimalString }).optional(),
});

/** One profile of `config.yaml`: a user's account at one identity provider, gateway and broker connection. */
export const profileSchema = z.strictObject({
  /** True for the sandbox, whose addresses are read from its ready file at each start. */
  sandbox: z.boolean().default(false),
  /** Whose dialect the issuer speaks: "profile add" finds out; `standard` where nothing is said. */
  provider: z.enum(providerNames).optional(),
  issuer: httpUrl.optional(),
  gateway: httpUrl.optional(),
  /** The resource indicator (RFC 8707) of the gateway; its URL unless said otherwise. */
  audience: z.string().optional(),
  environment: z.enum(environments).default('paper'),
  /** Whose account it is about, where that is not one's own: the owner's user name (`sub`), who lets one at it. */
  account_of: z.string().min(1).max(256).optional(),
  login_client: z.strictObject({ client_id: z.string() }).optional(),
  /** Whether tokens are bound to this machine's key (RFC 9449); they are where the provider can, unless this is false. */
  dpop: z.boolean().optional(),
  credential_store: z.enum(['keychain', 'file']).optional(),
  /** What opens the credential file: a passphrase, or a key file. Absent: a key file of its own beside it. */
  credential_key: z
    .string()
    .refine(
      (key) => key === 'passphrase' || isAbsolute(key),
      'must be "passphrase" or the whole path of a key file',
    )
    .optional(),
  model: modelSchema.prefault({}),
  /** How far an order may go from the price it was proposed at: a fraction. */
  max_slippage: slippageSchema.default('0.01'),
  /** How long an approval may take, in seconds. */
  approval_ttl: z.number().int().min(SHORTEST_TTL_S).max(LONGEST_TTL_S).default(DEFAULT_TTL_S),
  /** What the accounts elsewhere are called at the provider, where not by the names here ("connections list"). */
  connections: z
    .strictObject({ broker: connectionName, slack: connectionName, gmail: connectionName })
    .partial()
    .optional(),
  /** Live money: how long after signing in the session's first order may be asked for, in seconds; 900 by itself. */
  live_login_max_age: z.number().int().min(60).max(86_400).optional(),
  /** Who is told what a check found, by a name of the person's own. */
  notices: noticesSchema.optional(),
  /** Other people's MCP servers, and what of them the language model is offered. */
  mcp_servers: mcpServersSchema.optional(),
});
export type Profile = z.output<typeof profileSchema>;

export const configSchema = z.strictObject({
  default_profile: z.string().optional(),
  /** Whether the chat keeps what was typed, for the next time; it does unless this says false. */
  history: z.boolean().optional(),
  profiles: z.record(z.string().regex(/^[a-z0-9][a-z0-9_-]{0,31}$/), profileSchema).default({}),
});
export type Config = z.output<typeof configSchema>;

/** A profile whose addresses are known: what everything below the cli works with. */
export interface ResolvedProfile extends Profile {
  readonly name: string;
  readonly issuer: string;
  readonly gateway: string;
  readonly audience: string;
  readonly login_client: { readonly client_id: string };
  readonly credential_store: 'keychain' | 'file';
  /** Where the person approves, for display; absent where the provider pushes to an app of its own. */
  readonly phone: string | undefined;
}

/** Where a profile keeps its secrets, as `config.yaml` says it. */
export interface StorePlace {
  readonly credential_store: 'keychain' | 'file';
  /** Of a file alone: `passphrase`, or the path of a key file; absent, a key file beside it. */
  readonly credential_key?: string | undefined;
}
