import { z } from 'zod';
import { mcpClientNames } from '../../app/mcp/client-table.ts';

const listedServer = z.object({
  name: z.string(),
  at: z.string().describe('command with its arguments, or the address without its query'),
  transport: z.enum(['stdio', 'http']),
  enabled: z.boolean(),
  tools: z
    .array(z.object({ name: z.string(), pinned: z.boolean().describe('false: disabled until it is confirmed') }))
    .describe('the allowed tools'),
});

const serverTool = z.object({
  name: z.string(),
  state: z
    .enum(['offered', 'not_allowed', 'unconfirmed', 'changed', 'unsafe', 'unfit', 'gone'])
    .describe('only offered tools can be used'),
  description: z.string().nullable().describe('description from the server, without control and invisible characters'),
  arguments: z.array(z.object({ name: z.string(), required: z.boolean(), description: z.string().optional() })),
  sha256: z.string().nullable().describe('digest of the tool’s definition in canonical JSON (RFC 8785)'),
  danger: z
    .enum(['orders', 'money', 'destructive'])
    .nullable()
    .describe('what the tool could do without your approval; refused unless allowed with --unsafe'),
});

const server = z.object({
  name: z.string(),
  protocol: z.string().describe('MCP protocol version of the server'),
  about: z.object({ name: z.string(), version: z.string() }).describe('self-reported, unverified'),
  tools: z.array(serverTool),
});

const installation = z.object({
  client: z.enum(mcpClientNames),
  title: z.string(),
  file: z.string(),
  section: z.string().describe('section of the file that has the entry'),
  name: z.string().describe('name of the server in the client’s settings'),
  transport: z.enum(['stdio', 'http']),
  entry: z.string().describe('entry as written to the file'),
  replaces: z.string().nullable().describe('entry that it replaces'),
  state: z.enum(['written', 'unchanged', 'shown']),
  next: z.array(z.string()).describe('next steps'),
});

export const mcpResultSchemas = {
  'mcp-install': installation,
  'mcp-servers': z.object({ servers: z.array(listedServer) }),
  'mcp-server': server,
  'mcp-tools': z.object({ name: z.string(), tools: z.array(serverTool) }),
  'mcp-server-remove': z.object({ name: z.string() }),
};
