import { z } from 'zod';
import { INSECURE_URL_MESSAGE, isSecureUrl } from '../net/secure-url.ts';

/*
 * `mcp_servers:` of a profile in config.yaml: third-party MCP servers, and which of their tools are offered to the
 * language model. It contains no secrets: tokens are sealed with a key from the credential store
 * (secrets/places/mcp-credentials.ts).
 */

/** Pattern of a server's name. The language model sees the server's tools as `mcp__NAME__TOOL`. */
export const mcpServerNamePattern = /^[a-z0-9][a-z0-9-]{0,23}$/;

/** Environment variables that no server may receive: trade-agent's own, and API keys of language models. */
const reservedVariables = /^(TRADE_AGENT_|(OPENAI|OPENROUTER|ANTHROPIC)_API_KEY$)/i;

const variable = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/, 'must be the name of a variable, not its value')
  .refine(
    (name) => !reservedVariables.test(name),
    'is reserved for trade-agent: it is never passed to another program',
  );

const toolName = z.string().min(1).max(128);

export const mcpServerSchema = z.lazy(() =>
  z
    .strictObject({
      enabled: z.boolean().default(true).describe('whether its tools are offered to the model'),
      command: z
        .string()
        .min(1)
        .optional()
        .describe(
          'The program to start on this machine, which speaks MCP over stdin and stdout. It runs as you, with your permissions.',
        ),
      args: z.array(z.string()).max(64).optional().describe('arguments for the program'),
      env: z
        .array(variable)
        .max(32)
        .optional()
        .describe(
          'Names of environment variables to pass to it, in addition to HOME, LOGNAME, PATH, SHELL, TERM and USER.',
        ),
      url: z
        .url({ protocol: /^https?$/ })
        .refine(isSecureUrl, INSECURE_URL_MESSAGE)
        .refine(
          (text) => !URL.canParse(text) || new URL(text).username === '',
          'must not contain a user name or password',
        )
        .optional()
        .describe('The address of a server that speaks HTTP, instead of a command.'),
      client_id: z
        .string()
        .min(1)
        .max(512)
        .optional()
        .describe(
          'The public client ID of trade-agent, for an authorization server without dynamic registration. There is no secret.',
        ),
      tools: z
        .array(toolName)
        .max(64)
        .default([])
        .describe("The tools to offer, by the server's own names. None are offered by default."),
      pins: z
        .record(toolName, z.string().regex(/^[0-9a-f]{64}$/, 'must be a SHA-256 in hex'))
        .default({})
        .describe(
          'SHA-256 (hex) of each tool’s description when it was allowed. A tool whose description changed is disabled.',
        ),
      unsafe: z
        .array(toolName)
        .max(64)
        .default([])
        .describe(
          'Tools that are offered even though they are destructive, trade or move money without your phone. Written by "mcp servers allow --unsafe".',
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

export const mcpServersSchema = z.record(z.string().regex(mcpServerNamePattern), mcpServerSchema, {
  error: ({ code }) =>
    code === 'invalid_key' ? 'a server name has at most 24 lowercase letters, digits and "-"' : undefined,
});
export type McpServersConfig = z.output<typeof mcpServersSchema>;
