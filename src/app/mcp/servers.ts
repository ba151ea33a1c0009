import { type McpServerConfig, mcpServerNamePattern, mcpServerSchema } from '../../config/mcp-servers.ts';
import { type EntryLocation, removeProfileEntry, writeProfileEntry } from '../../config/named-entries.ts';
import { TradeAgentError } from '../../errors/errors.ts';
import { type ComparedTool, compareTools } from '../../mcp/client/compared-tools.ts';
import type { McpServerAccess } from '../../mcp/client/server-access.ts';
import type { McpServerRegistry, McpServerState } from '../../mcp/client/server-registry.ts';
import { toolDangerTexts } from '../../mcp/client/tool-danger.ts';
import { createMcpCredentialStore } from '../../secrets/places/mcp-credentials.ts';
import { findClosestMatch } from '../../text/closest-match.ts';
import type { AgentOptions, App } from '../app.ts';
import { withModelOptions } from '../chosen-model.ts';
import { version } from '../version.ts';

async function serverAccess(
  app: Pick<App, 'redactedFetch' | 'env' | 'home' | 'writtenProfile' | 'store'>,
): Promise<Pick<McpServerAccess, 'fetch' | 'env' | 'version' | 'credentials'>> {
  const [home, profile, store] = await Promise.all([app.home(), app.writtenProfile(), app.store()]);
  return {
    // Logs only the host, because a server's URL may contain a secret.
    fetch: app.redactedFetch,
    env: app.env,
    version: version(),
    credentials: createMcpCredentialStore(store, home.config, profile.name),
  };
}

/** Finds a server by name. @throws {TradeAgentError} `not_found` */
async function findServer(app: Pick<App, 'writtenProfile'>, name: string): Promise<McpServerConfig> {
  const { mcp_servers: servers = {} } = await app.writtenProfile();
  const found = Object.hasOwn(servers, name) ? servers[name] : undefined;
  if (found !== undefined) return found;
  const names = Object.keys(servers);
  const nearest = findClosestMatch(name, names);
  throw new TradeAgentError('not_found', `there is no MCP server "${name}" in this profile`, {
    hint:
      nearest === undefined
        ? `${names.length === 0 ? 'There are none' : `Servers: ${names.join(', ')}`}. Add one with "trade-agent mcp servers add".`
        : `Did you mean "${nearest}"?`,
  });
}

async function serverEntryPlace(app: Pick<App, 'home' | 'writtenProfile'>, name: string): Promise<EntryLocation> {
  return { home: await app.home(), profile: (await app.writtenProfile()).name, section: 'mcp_servers', name };
}

/** Returns a registry of the profile's MCP servers, without connecting to any of them. */
export async function openMcpServerRegistry(app: App): Promise<McpServerRegistry> {
  const { createMcpServerRegistry } = await import('../../mcp/client/server-registry.ts');
  const { mcp_servers: servers = {} } = await app.writtenProfile();
  return createMcpServerRegistry({ ...(await serverAccess(app)), servers, clock: app.clock });
}

export type ListedMcpServer = ReturnType<typeof toListedServer>;

export async function listMcpServers(app: Pick<App, 'writtenProfile'>) {
  const { mcp_servers: servers = {} } = await app.writtenProfile();
  return Object.entries(servers).map(([name, server]) => toListedServer(name, server));
}

function toListedServer(name: string, server: McpServerConfig) {
  const { command = '', args = [], url, enabled, tools, pins } = server;
  return {
    name,
    at: url === undefined ? [command, ...args].join(' ') : withoutQuery(url),
    transport: url === undefined ? ('stdio' as const) : ('http' as const),
    enabled,
    /** A tool that is not pinned stays off until a person confirms it. */
    tools: tools.map((tool) => ({ name: tool, pinned: Object.hasOwn(pins, tool) })),
  };
}

function withoutQuery(url: string): string {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname}`;
}

export interface McpServersState {
  /** Why MCP servers are off: there is no language model, or the session is read-only. Undefined if they are on. */
  readonly unused: 'planner' | 'read-only' | undefined;
  readonly servers: readonly McpServerState[];
}

export async function getMcpServersState(
  app: Pick<App, 'profile' | 'foreignTools'>,
  options: AgentOptions,
): Promise<McpServersState> {
  const [profile, registry] = await Promise.all([app.profile(), app.foreignTools()]);
  const isPlanner = withModelOptions(profile, options).model.provider === 'builtin';
  return {
    unused: isPlanner ? 'planner' : options.readOnly === true ? 'read-only' : undefined,
    servers: registry?.states() ?? [],
  };
}

export interface InspectedMcpServer {
  readonly name: string;
  readonly protocol: string;
  readonly about: { readonly name: string; readonly version: string };
  readonly tools: readonly ComparedTool[];
}

export type OpenBrowser = (url: string) => Promise<void>;

type ServerApp = Pick<App, 'redactedFetch' | 'env' | 'home' | 'profile' | 'writtenProfile' | 'store' | 'signal'>;

/**
 * Connects to a server and compares its tools with the allowed tools.
 * @throws {TradeAgentError} `not_found`, `mcp_server_failed`, `login_denied`, `login_expired`, `credential_store_…`
 */
export async function inspectMcpServer(app: ServerApp, name: string, open: OpenBrowser): Promise<InspectedMcpServer> {
  return await inspect(app, name, await findServer(app, name), open);
}

/** Does the same as {@link inspectMcpServer} for a server that may not be in the profile yet. */
async function inspect(
  app: ServerApp,
  name: string,
  server: McpServerConfig,
  openBrowser: OpenBrowser,
): Promise<InspectedMcpServer> {
  const { connectMcpServer } = await import('../../mcp/client/connection.ts');
  const { signal } = app;
  const connection = await connectMcpServer({ ...(await serverAccess(app)), name, server, openBrowser }, signal);
  try {
    const { protocol, about } = connection;
    return { name, protocol, about, tools: compareTools(server, await connection.tools(signal)) };
  } finally {
    await connection.close();
  }
}

export type McpServerLocation = Partial<Pick<McpServerConfig, 'command' | 'args' | 'env' | 'url' | 'client_id'>>;

/**
 * Connects to a server, lets the person choose from its tools, and adds the server to the profile.
 * @param ask.choose receives the server's tools and returns the names of the tools to allow
 * @throws {TradeAgentError} `usage` for an invalid name or location; `not_found` for an unknown tool; `blocked` for a
 *   tool that could act without approval; any error from connecting or `ask.choose`. Nothing is written in these cases
 */
export async function addMcpServer(
  app: App,
  name: string,
  place: McpServerLocation,
  ask: ServerPrompts & { choose: (looked: InspectedMcpServer) => Promise<readonly string[]> },
): Promise<InspectedMcpServer> {
  const profile = await app.profile();
  if (!mcpServerNamePattern.test(name)) {
    throw new TradeAgentError('usage', `"${name}" is not a valid server name`, {
      hint: 'Use up to 24 lowercase letters, digits and -.',
    });
  }
  if (Object.hasOwn(profile.mcp_servers ?? {}, name)) {
    throw new TradeAgentError('usage', `an MCP server "${name}" already exists`, {
      hint: `Choose another name, or remove it first: trade-agent mcp servers remove ${name}`,
    });
  }
  const server = parseLocation(place);
  const looked = await inspect(app, name, server, ask.open);
  const allowed = await withAllowed(looked, server, await ask.choose(looked), ask.insist);
  await writeProfileEntry(await serverEntryPlace(app, name), { ...place, ...toConfigEntry(allowed) });
  return {
    ...looked,
    tools: looked.tools.map(
      (tool): ComparedTool => (allowed.tools.includes(tool.name) ? { ...tool, state: 'offered' } : tool),
    ),
  };
}

/** Parses a server's location. @throws {TradeAgentError} `usage` */
function parseLocation(place: McpServerLocation): McpServerConfig {
  const parsed = mcpServerSchema.safeParse(place);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue?.path.join('.') ?? '';
  throw new TradeAgentError('usage', `${where === '' ? 'a server' : where} ${issue?.message ?? 'is invalid'}`, {
    hint: 'Pass --command PROGRAM with its arguments after "--", or --url URL.',
  });
}

type Allowed = Pick<McpServerConfig, 'tools' | 'pins' | 'unsafe'>;

/** Asks the person to confirm tools that could act without approval on the phone. Throws if the person declines. */
export type ConfirmUnsafeTools = (server: string, tools: readonly ComparedTool[]) => Promise<void>;

interface ServerPrompts {
  readonly open: OpenBrowser;
  readonly insist: ConfirmUnsafeTools | undefined;
}

/**
 * Returns the allowed tools with `tools` added, pinned to their current descriptions.
 * @param insist asks the person to confirm tools that could act without approval; if absent, such tools are rejected
 * @throws {TradeAgentError} `not_found` for an unknown tool; `usage` for a tool that can't be displayed faithfully;
 *   `blocked` for a tool that could act without approval; any error from `insist`
 */
async function withAllowed(
  { name: server, tools: there }: Pick<InspectedMcpServer, 'name' | 'tools'>,
  before: Allowed,
  tools: readonly string[],
  insist: ConfirmUnsafeTools | undefined,
): Promise<Allowed> {
  const chosen = tools.map((name) => {
    const found = there.find((tool) => tool.name === name && tool.state !== 'gone');
    if (found === undefined) throw unknownTool(server, name, there);
    if (found.fit === undefined || found.pin === undefined) {
      throw new TradeAgentError('usage', `${name} of ${server} can't be displayed faithfully, so it can't be allowed`, {
        hint: 'Its description contains invisible characters or is too long. Report this to the server’s operator.',
      });
    }
    return [name, found.pin] as const;
  });
  const dangerous = there.filter(({ name, danger }) => danger !== undefined && tools.includes(name));
  const [first] = dangerous;
  if (first !== undefined) {
    if (insist === undefined) throw unsafeToolError(server, first);
    await insist(server, dangerous);
  }
  return {
    tools: [...new Set([...before.tools, ...tools])],
    pins: { ...before.pins, ...Object.fromEntries(chosen) },
    unsafe: [...new Set([...before.unsafe, ...dangerous.map(({ name }) => name)])],
  };
}

/** Returns the settings for `config.yaml`. Leaves out the list `unsafe` if it is empty, as it is in most profiles. */
function toConfigEntry({ unsafe, ...allowed }: Allowed): Partial<Allowed> {
  return { ...allowed, ...(unsafe.length === 0 ? {} : { unsafe }) };
}

/**
 * Allows tools of a server, or confirms their changed descriptions.
 * @param ask.agree shows the tools, and throws if the person declines, in which case nothing is written
 * @throws {TradeAgentError} `not_found`, `usage`, `blocked`, `invalid_config`; any error from connecting or `ask.agree`
 */
export async function allowMcpTools(
  app: App,
  name: string,
  tools: readonly string[],
  ask: ServerPrompts & { agree: (tools: readonly ComparedTool[]) => Promise<void> },
): Promise<readonly ComparedTool[]> {
  const server = await findServer(app, name);
  const looked = await inspect(app, name, server, ask.open);
  const allowed = await withAllowed(looked, server, tools, ask.insist);
  const chosen = looked.tools.filter((tool) => tools.includes(tool.name));
  await ask.agree(chosen);
  await writeProfileEntry(await serverEntryPlace(app, name), toConfigEntry(allowed));
  return chosen.map((tool) => ({ ...tool, state: 'offered' as const }));
}

function unsafeToolError(server: string, { name, danger }: ComparedTool): TradeAgentError {
  const why = danger === undefined ? 'is unsafe' : toolDangerTexts[danger];
  return new TradeAgentError('blocked', `${name} of ${server} ${why}`, {
    hint: 'Nothing was allowed. The gateway connects to brokers itself, and asks for approval on your phone (docs/guide/BROKERS.md). Pass --unsafe to allow the tool anyway.',
  });
}

function unknownTool(server: string, name: string, tools: readonly ComparedTool[]): TradeAgentError {
  const names = tools.filter(({ state }) => state !== 'gone').map((tool) => tool.name);
  const nearest = findClosestMatch(name, names);
  return new TradeAgentError('not_found', `${server} has no tool "${name}"`, {
    hint:
      nearest === undefined
        ? `List the server's tools with "trade-agent mcp servers test ${server}".`
        : `Did you mean "${nearest}"? Nothing was changed.`,
  });
}

/** Removes a server from the profile, along with its tokens. @throws {TradeAgentError} `not_found` */
export async function removeMcpServer(app: App, name: string): Promise<void> {
  const { url } = await findServer(app, name);
  if (url !== undefined) {
    const { StoredAuthorization } = await import('../../mcp/client/stored-authorization.ts');
    const { credentials } = await serverAccess(app);
    // An empty store stays untouched, because writing it would create a file for someone who never signed in.
    if (Object.keys(await credentials.read()).length > 0) await new StoredAuthorization(credentials, url).forget();
  }
  await removeProfileEntry(await serverEntryPlace(app, name));
}
