import { z } from 'zod';
import { mcpClientNames } from '../../app/mcp/client-table.ts';
import { time } from './parts.ts';

const client = z.object({
  user: z.string(),
  client_id: z.string().describe('by which it is revoked'),
  name: z.string().describe('as it calls itself; unverified'),
  host: z.string().describe('where it says who it is, or else where it is answered'),
  redirect_uri: z.string(),
  since: time,
  last_used_at: time.nullable().describe('when it was last given a token'),
});

const listedServer = z.object({
  name: z.string(),
  at: z.string().describe('the program with its arguments, or the address without its query'),
  transport: z.enum(['stdio', 'http']),
  enabled: z.boolean(),
  tools: z
    .array(z.object({ name: z.string(), pinned: z.boolean().describe('false: off until it is confirmed') }))
    .describe('those that are allowed'),
});

const serverTool = z.object({
  name: z.string(),
  state: z
    .enum(['offered', 'not_allowed', 'unconfirmed', 'changed', 'unsafe', 'unfit', 'gone'])
    .describe('only what is offered can be used'),
  description: z.string().nullable().describe("the server's own words, without what draws or hides"),
  arguments: z.array(
    z.object({ name: z.string(), required: z.boolean(), description: z.string().optional() }),
  ),
  sha256: z.string().nullable().describe('of what it says of itself, by RFC 8785'),
  danger: z
    .enum(['orders', 'money', 'destructive'])
    .nullable()
    .describe('what it could do past the phone: refused unless allowed by --unsafe'),
});

const server = z.object({
  name: z.string(),
  protocol: z.string().describe('the revision of MCP that it speaks'),
  about: z.object({ name: z.string(), version: z.string() }).describe('as it calls itself; unverified'),
  tools: z.array(serverTool),
});

const installation = z.object({
  client: z.enum(mcpClientNames),
  title: z.string(),
  file: z.string(),
  section: z.string().describe('under which the entry stands in the file'),
  name: z.string().describe("the server's, in the client's settings"),
  transport: z.enum(['stdio', 'http']),
  entry: z.string().describe('as it stands in the file'),
  replaces: z.string().nullable().describe('what it takes the place of'),
  state: z.enum(['written', 'unchanged', 'shown']),
  next: z.array(z.string()).describe('what to know or do next'),
});

export const mcpResults = {
  'mcp-install': installation,
  'mcp-clients': z.object({ clients: z.array(client) }),
  'mcp-client-revoke': z.object({ client }),
  'mcp-servers': z.object({ servers: z.array(listedServer) }),
  'mcp-server': server,
  'mcp-tools': z.object({ name: z.string(), tools: z.array(serverTool) }),
  'mcp-server-remove': z.object({ name: z.string() }),
};
