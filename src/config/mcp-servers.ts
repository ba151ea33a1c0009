import { z } from 'zod';
import { INSECURE_URL, isSecureUrl } from '../net/secure-url.ts';

/*
 * `mcp_servers:` of a profile in config.yaml: other people's MCP servers, and the tools of theirs that the language
 * model is offered. It contains no secrets: tokens are sealed under a key of the credential store
 * (secrets/places/mcp-credentials.ts).
 */

/** A server's name; the language model knows its tools as `mcp__NAME__TOOL`. */
export const mcpServerName = /^[a-z0-9][a-z0-9-]{0,23}$/;

/** Variables that no server may get: ours, and the keys of language models. */
const ours = /^(TRADE_AGENT_|(OPENAI|OPENROUTER|ANTHROPIC)_API_KEY$)/i;

const variable = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/, 'must be the name of a variable, never its value')
  .refine((name) => !ours.test(name), 'is for trade-agent alone: no other program is given it');

const toolName = z.string().min(1).max(128);

export const mcpServerSchema = z.lazy(() =>
  z
    .strictObject({
      enabled: z.boolean().default(true).describe('whether its tools are offered at all'),
      command: z
        .string()
        .min(1)
        .optional()
        .describe(
          'A program that is started here and speaks over stdin and stdout; it runs as you, with all that you may do.',
        ),
      args: z.array(z.string()).max(64).optional().describe('arguments of the program'),
      env: z
        .array(variable)
        .max(32)
        .optional()
        .describe('Names of variables it is given, beside HOME, LOGNAME, PATH, SHELL, TERM and USER.'),
      url: z
        .url({ protocol: /^https?$/ })
        .refine(isSecureUrl, INSECURE_URL)
        .refine(
          (text) => !URL.canParse(text) || new URL(text).username === '',
          'must not hold a user or password',
        )
        .optional()
        .describe('Or the address of one that speaks HTTP.'),
      client_id: z
        .string()
        .min(1)
        .max(512)
        .optional()
        .describe(
          'How we are known where its authorization server registers nobody by itself. Public: there is no secret.',
        ),
      tools: z
        .array(toolName)
        .max(64)
        .default([])
        .describe("The tools that are offered, by the server's own names; none unless named."),
      pins: z
        .record(toolName, z.string().regex(/^[0-9a-f]{64}$/, 'must be a SHA-256 in hex'))
        .default({})
        .describe(
          'SHA-256 (hex) of what each said of itself when it was allowed; one that says anything else is off.',
        ),
      unsafe: z
        .array(toolName)
        .max(64)
        .default([])
        .describe(
          'Those of the tools that are offered although they are destructive, trade or move money past your phone: written by "mcp servers allow --unsafe".',
        ),
    })
    .refine(({ command, url }) => (command === undefined) !== (url === undefined), {
      message: 'must have either a "command" or a "url"',
    })
    .refine(({ url, args, env }) => url === undefined || (args === undefined && env === undefined), {
      message: '"args" and "env" belong to a "command"',
    })
    .refine(({ command, client_id }) => command === undefined || client_id === undefined, {
      message: '"client_id" belongs to a "url"',
    }),
);
export type McpServerConfig = z.output<typeof mcpServerSchema>;

export const mcpServersSchema = z.record(z.string().regex(mcpServerName), mcpServerSchema, {
  error: ({ code }) =>
    code === 'invalid_key' ? 'a server is named by small letters, digits and "-", 24 at most' : undefined,
});
export type McpServersConfig = z.output<typeof mcpServersSchema>;
