import { z } from 'zod';
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

/** What the `mcp` commands print. */
export const mcpResults = {
  'mcp-clients': z.object({ clients: z.array(client) }),
  'mcp-client-revoke': z.object({ client }),
};
