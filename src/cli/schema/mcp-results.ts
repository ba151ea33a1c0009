import { z } from 'zod';
import { mcpClientNames } from '../../app/mcp/install/client-table.ts';
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

/** What the `mcp` commands print. */
export const mcpResults = {
  'mcp-install': installation,
  'mcp-clients': z.object({ clients: z.array(client) }),
  'mcp-client-revoke': z.object({ client }),
};
