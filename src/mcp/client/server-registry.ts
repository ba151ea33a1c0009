import { createHash } from 'node:crypto';
import type { McpServersConfig } from '../../config/mcp-servers.ts';
import { isTradeAgentError } from '../../errors/errors.ts';
import type { Clock } from '../../machine/clock.ts';
import {
  FOREIGN_TOOL_PREFIX,
  type ForeignTool,
  type ForeignToolResult,
  type ForeignTools,
} from '../../tools/foreign-tools.ts';
import { type ComparedTool, compareTools } from './compared-tools.ts';
import type { McpServerConnection } from './connection.ts';
import type { McpServerAccess } from './server-access.ts';
import { toolDangerTexts } from './tool-danger.ts';

/** The maximum length of a tool's name in chat APIs. */
const MAX_NAME_LENGTH = 64;

interface AllowedTool {
  readonly server: string;
  readonly tool: string;
}

/**
 * Returns a tool's name for a language model, such as `mcp__news__search`. Names that chat APIs reject are adjusted
 * and end with an eight-character hash.
 */
export function modelToolName(server: string, tool: string): string {
  const plain = `${FOREIGN_TOOL_PREFIX}${server}__${tool}`;
  if (/^[A-Za-z0-9_-]+$/.test(plain) && plain.length <= MAX_NAME_LENGTH) return plain;
  const mark = createHash('sha256').update(tool).digest('hex').slice(0, 8);
  return `${plain.replace(/[^A-Za-z0-9_-]/g, '_').slice(0, MAX_NAME_LENGTH - mark.length - 1)}_${mark}`;
}

/** Returns the tools that the profile allows, without asking the servers. Tools whose names collide are omitted. */
export function listAllowedTools(servers: McpServersConfig): ReadonlyMap<string, AllowedTool> {
  const all = Object.entries(servers).flatMap(([server, { enabled, tools }]) =>
    enabled ? [...new Set(tools)].map((tool) => ({ server, tool })) : [],
  );
  const byName = Map.groupBy(all, ({ server, tool }) => modelToolName(server, tool));
  return new Map(
    [...byName].flatMap(([name, [one, ...others]]) => (one === undefined || others.length > 0 ? [] : [[name, one]])),
  );
}

interface RegistryOptions extends Omit<McpServerAccess, 'name' | 'server' | 'openBrowser'> {
  readonly servers: McpServersConfig;
  readonly clock: Clock;
}

export interface McpServerState {
  readonly name: string;
  /** `idle` means that the server was not contacted yet, or that none of its tools is allowed. */
  readonly state: 'off' | 'idle' | 'connected' | 'failed';
  readonly tools: readonly Pick<ComparedTool, 'name' | 'state'>[];
  readonly message: string | undefined;
}

export interface McpServerRegistry extends ForeignTools {
  states(): readonly McpServerState[];
}

/** Creates the registry. Never connects to a server without allowed tools. */
export function createMcpServerRegistry(options: RegistryOptions): McpServerRegistry {
  const { servers, clock, ...access } = options;
  const allowed = listAllowedTools(servers);
  const kept = new Map<string, ManagedServer>();
  for (const { server: name } of allowed.values()) {
    const server = servers[name];
    if (server !== undefined && !kept.has(name)) kept.set(name, new ManagedServer({ ...access, name, server }, clock));
  }
  const reported = new Set<unknown>();

  const offeredBy = async (
    name: string,
    server: ManagedServer,
    signal: AbortSignal,
    notice: (message: string) => void,
  ): Promise<readonly ForeignTool[]> => {
    const report = (what: unknown, message: string) => {
      if (!reported.has(what)) notice(`${message} (trade-agent mcp servers test ${name})`);
      reported.add(what);
    };
    const open = server.resting === undefined ? await server.open(signal).catch(() => undefined) : undefined;
    if (open === undefined) {
      const { failure } = server;
      if (failure !== undefined) report(failure, `${failure.message}; its tools are not available`);
      return [];
    }
    for (const one of open.tools) {
      const { name: tool } = one;
      const why = offReason(one);
      if (why !== undefined) report(`${name} ${tool}`, `MCP server ${name}: ${tool} ${why}`);
    }
    return open.tools.flatMap((tool) => foreignTool(allowed, name, tool));
  };

  return {
    serverOf: (name) => allowed.get(name)?.server,
    offered: async (signal, notice) =>
      (await Promise.all([...kept].map(([name, server]) => offeredBy(name, server, signal, notice)))).flat(),
    async call(name, args, signal): Promise<ForeignToolResult> {
      const found = allowed.get(name);
      const server = found === undefined ? undefined : kept.get(found.server);
      if (found === undefined || server === undefined) return failedAnswer('there is no such tool');
      if (server.resting !== undefined) return failedAnswer(server.resting.message);
      return await server.call(found.tool, args, signal);
    },
    states: () =>
      Object.entries(servers).map(([name, { enabled, tools }]): McpServerState => {
        const { latest, failure } = kept.get(name) ?? {};
        return {
          name,
          state: !enabled ? 'off' : latest !== undefined ? 'connected' : failure ? 'failed' : 'idle',
          tools:
            latest?.tools.filter((tool) => tools.includes(tool.name)) ??
            tools.map((tool) => ({ name: tool, state: 'unconfirmed' as const })),
          message: failure?.message,
        };
      }),
    close: async () => {
      await Promise.all([...kept.values()].map((server) => server.close()));
    },
  };
}

const offReasons: Partial<Record<ComparedTool['state'], string>> = {
  unconfirmed: 'is off until you confirm it',
  changed: 'has changed its description since you allowed it, and is off until you confirm it',
  unfit: "can't be displayed faithfully, and is off",
  gone: 'no longer exists',
};

function offReason({ state, danger }: ComparedTool): string | undefined {
  return state === 'unsafe' && danger !== undefined ? `${toolDangerTexts[danger]}, and is off` : offReasons[state];
}

function failedAnswer(message: string): ForeignToolResult {
  return { outcome: 'failed', message };
}

/** Returns the tool for a model, in an array that is empty if the tool is off or its name collides. */
function foreignTool(
  allowed: ReadonlyMap<string, AllowedTool>,
  server: string,
  { name: tool, state, fit }: ComparedTool,
): ForeignTool[] {
  const name = modelToolName(server, tool);
  if (state !== 'offered' || fit === undefined || allowed.get(name)?.tool !== tool) return [];
  return [{ name, description: fit.description, parameters: fit.parameters }];
}

/** Pause before connecting again after a failure, in milliseconds. Each timeout would delay the conversation. */
const RETRY_PAUSE_MS = 60_000;

interface OpenServer {
  readonly connection: McpServerConnection;
  readonly tools: readonly ComparedTool[];
}

interface Failure {
  readonly message: string;
  readonly at: number;
}

/** A server that is connected on first use, and reconnected some time after a failure. */
class ManagedServer {
  readonly #access: McpServerAccess;
  readonly #clock: Clock;
  #opening: Promise<OpenServer> | undefined;
  #latest: OpenServer | undefined;
  #failure: Failure | undefined;

  constructor(access: McpServerAccess, clock: Clock) {
    this.#access = access;
    this.#clock = clock;
  }

  /** The current connection. Undefined if the server is not connected. */
  get latest(): OpenServer | undefined {
    return this.#latest;
  }

  /** The failure of the latest call or connection, or undefined if it succeeded. */
  get failure(): Failure | undefined {
    return this.#failure;
  }

  /** The latest failure, if it is too recent for a new attempt to connect. */
  get resting(): Failure | undefined {
    const failure = this.#failure;
    return failure !== undefined && this.#clock.now() - failure.at < RETRY_PAUSE_MS ? failure : undefined;
  }

  /** Connects if needed. @throws {TradeAgentError} like `connectMcpServer`; the signal's reason */
  async open(signal: AbortSignal): Promise<OpenServer> {
    this.#opening ??= this.#connect(signal);
    try {
      this.#latest = await this.#opening;
      this.#failure = undefined;
      return this.#latest;
    } catch (error) {
      this.#opening = undefined;
      if (!signal.aborted) this.#failed(error);
      throw error;
    }
  }

  /** Calls a tool. Drops the connection after any failure. @throws the signal's reason */
  async call(name: string, args: Readonly<Record<string, unknown>>, signal: AbortSignal): Promise<ForeignToolResult> {
    try {
      const { connection, tools } = await this.open(signal);
      const tool = tools.find((one) => one.name === name);
      if (tool?.state === 'offered') return { outcome: 'answered', ...(await connection.call(name, args, signal)) };
      const why = tool === undefined ? offReasons.gone : (offReason(tool) ?? 'is off');
      return failedAnswer(`MCP server ${this.#access.name}: ${name} ${why}`);
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      const latest = this.#latest;
      this.#opening = undefined;
      this.#latest = undefined;
      const message = this.#failed(error);
      await latest?.connection.close();
      return failedAnswer(message);
    }
  }

  async close(): Promise<void> {
    const opened = await this.#opening?.catch(() => undefined);
    this.#opening = undefined;
    this.#latest = undefined;
    await opened?.connection.close();
  }

  async #connect(signal: AbortSignal): Promise<OpenServer> {
    const { connectMcpServer } = await import('./connection.ts');
    const connection = await connectMcpServer(this.#access, signal);
    try {
      return { connection, tools: compareTools(this.#access.server, await connection.tools(signal)) };
    } catch (error) {
      await connection.close();
      throw error;
    }
  }

  #failed(error: unknown): string {
    const message = isTradeAgentError(error) ? error.message : 'something went wrong inside trade-agent';
    this.#failure = { message, at: this.#clock.now() };
    return message;
  }
}
