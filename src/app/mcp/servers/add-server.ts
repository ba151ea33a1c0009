import { type McpServerConfig, mcpServerName, mcpServerSchema } from '../../../config/mcp-servers.ts';
import { writeEntry } from '../../../config/named-entries.ts';
import { TradeAgentError } from '../../../errors/errors.ts';
import type { ComparedTool } from '../../../mcp/client/compared-tools.ts';
import type { App } from '../../app.ts';
import { allowing, entryOf, type Insist } from './allow-tools.ts';
import { type LookedAtServer, lookAt, type OpenBrowser } from './look-at-server.ts';
import { serverPlace } from './server-place.ts';

/** Where a server is: a program, or an address. */
export type ServerPlace = Partial<Pick<McpServerConfig, 'command' | 'args' | 'env' | 'url' | 'client_id'>>;

/**
 * Connects a server, has the person choose among its tools, and writes both into the profile.
 * @param choose is given all that it has, and says which are allowed, by name
 * @throws {TradeAgentError} `usage` for a name or place that can't be; what connecting and `choose` throw: then nothing is
 *   written; `not_found` for a tool that it has not; `blocked` for one that could act past the phone
 */
export async function addServer(
  app: App,
  name: string,
  place: ServerPlace,
  {
    open,
    choose,
    insist,
  }: {
    open: OpenBrowser;
    choose: (looked: LookedAtServer) => Promise<readonly string[]>;
    insist: Insist | undefined;
  },
): Promise<LookedAtServer> {
  const profile = await app.profile();
  if (!mcpServerName.test(name)) {
    throw new TradeAgentError('usage', `"${name}" can't be the name of a server`, {
      hint: 'Use up to 24 small letters, digits and -.',
    });
  }
  if (Object.hasOwn(profile.mcp_servers ?? {}, name)) {
    throw new TradeAgentError('usage', `there is an MCP server "${name}" already`, {
      hint: `Choose another name, or remove it first: trade-agent mcp servers remove ${name}`,
    });
  }
  const server = placed(place);
  const looked = await lookAt(app, name, server, open);
  const allowed = await allowing(looked, server, await choose(looked), insist);
  await writeEntry(await serverPlace(app, name), { ...place, ...entryOf(allowed) });
  return {
    ...looked,
    tools: looked.tools.map(
      (tool): ComparedTool => (allowed.tools.includes(tool.name) ? { ...tool, state: 'offered' } : tool),
    ),
  };
}

/** @throws {TradeAgentError} `usage` */
function placed(place: ServerPlace): McpServerConfig {
  const parsed = mcpServerSchema.safeParse(place);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue?.path.join('.') ?? '';
  throw new TradeAgentError('usage', `${where === '' ? 'a server' : where} ${issue?.message ?? 'is wrong'}`, {
    hint: 'Give --command PROGRAM with its arguments after "--", or --url ADDRESS.',
  });
}
