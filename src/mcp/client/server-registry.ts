import type { McpServersConfig } from '../../config/mcp-servers.ts';
import type { Clock } from '../../machine/clock.ts';
import type { ForeignAnswer, ForeignTool, ForeignTools } from '../../tools/foreign-tools.ts';
import { isTradeAgentError } from '../../trading/errors.ts';
import { type ComparedTool, compareTools } from './compared-tools.ts';
import type { ServerConnection } from './connection.ts';
import type { ServerAccess } from './server-access.ts';
import { type AllowedTool, allowedTools, modelName } from './tool-names.ts';

/** A server that failed is left alone for so long, milliseconds: it costs a turn of the conversation its time-out. */
const REST_MS = 60_000;

export interface RegistryOptions extends Omit<ServerAccess, 'name' | 'server' | 'openBrowser'> {
  readonly servers: McpServersConfig;
  readonly clock: Clock;
}

/** How a server stands, as far as is known here. */
export interface ServerStanding {
  readonly name: string;
  /** `idle`: nothing was asked of it yet, or nothing of it is allowed. */
  readonly state: 'off' | 'idle' | 'connected' | 'failed';
  /** Its tools that are allowed; all that is known of them before it was asked is that. */
  readonly tools: readonly Pick<ComparedTool, 'name' | 'state'>[];
  /** Why it failed. */
  readonly message: string | undefined;
}

export interface ServerRegistry extends ForeignTools {
  standing(): readonly ServerStanding[];
}

interface Open {
  readonly connection: ServerConnection;
  readonly tools: readonly ComparedTool[];
}

interface Place {
  open?: Promise<Open> | undefined;
  /** What came of {@link open}, for whoever only looks. */
  latest?: Open | undefined;
  failure?: { readonly message: string; readonly at: number; told: boolean } | undefined;
  /** Tools that were told to be off. */
  readonly toldOff: Set<string>;
}

/** The servers of a profile, each connected when it is first needed. */
export function serverRegistry(options: RegistryOptions): ServerRegistry {
  const { servers, clock, ...access } = options;
  const allowed = allowedTools(servers);
  const wanted = [...new Set([...allowed.values()].map(({ server }) => server))];
  const places = new Map(wanted.map((name): [string, Place] => [name, { toldOff: new Set() }]));
  const placeOf = (name: string): Place => places.get(name) ?? { toldOff: new Set() };

  /** @throws {TradeAgentError}, and the signal's reason */
  const open = async (name: string, signal: AbortSignal): Promise<Open> => {
    const place = placeOf(name);
    place.open ??= (async () => {
      const server = servers[name];
      if (server === undefined) throw new TypeError(`there is no MCP server ${name}`);
      const { connectServer } = await import('./connection.ts');
      const connection = await connectServer({ ...access, name, server }, signal);
      try {
        return { connection, tools: compareTools(server, await connection.tools(signal)) };
      } catch (error) {
        await connection.close();
        throw error;
      }
    })();
    try {
      place.latest = await place.open;
      place.failure = undefined;
      return place.latest;
    } catch (error) {
      place.open = undefined;
      if (!signal.aborted) place.failure = { message: wordsOf(error), at: clock.now(), told: false };
      throw error;
    }
  };

  const restingFailure = (name: string) => {
    const { failure } = placeOf(name);
    return failure !== undefined && clock.now() - failure.at < REST_MS ? failure : undefined;
  };

  /** After a failure nothing is known of how the connection stands. */
  const drop = async (name: string, message: string): Promise<void> => {
    const place = placeOf(name);
    const { latest } = place;
    place.open = undefined;
    place.latest = undefined;
    place.failure = { message, at: clock.now(), told: true };
    await latest?.connection.close();
  };

  const offeredBy = async (
    name: string,
    signal: AbortSignal,
    notice: (message: string) => void,
  ): Promise<readonly ForeignTool[]> => {
    const place = placeOf(name);
    const found = restingFailure(name) ? undefined : await open(name, signal).catch(() => undefined);
    if (found === undefined) {
      if (place.failure?.told === false)
        notice(`${place.failure.message}; its tools are left out (trade-agent mcp servers test ${name})`);
      if (place.failure !== undefined) place.failure.told = true;
      return [];
    }
    for (const { name: tool, state } of found.tools) {
      const why = offWords[state];
      if (why === undefined || place.toldOff.has(tool)) continue;
      place.toldOff.add(tool);
      notice(`MCP server ${name}: ${tool} ${why}; see "trade-agent mcp servers test ${name}"`);
    }
    return found.tools.flatMap((tool) => foreignTool(allowed, name, tool));
  };

  return {
    serverOf: (name) => allowed.get(name)?.server,
    offered: async (signal, notice) =>
      (await Promise.all(wanted.map((name) => offeredBy(name, signal, notice)))).flat(),
    async call(name, args, signal): Promise<ForeignAnswer> {
      const found = allowed.get(name);
      if (found === undefined) return { outcome: 'failed', message: 'there is no such tool' };
      const { server, tool } = found;
      const resting = restingFailure(server);
      if (resting !== undefined) return { outcome: 'failed', message: resting.message };
      try {
        const { connection, tools } = await open(server, signal);
        const state = tools.find((one) => one.name === tool)?.state ?? 'gone';
        if (state !== 'offered')
          return {
            outcome: 'failed',
            message: `MCP server ${server}: ${tool} ${offWords[state] ?? 'is off'}`,
          };
        return { outcome: 'answered', ...(await connection.call(tool, args, signal)) };
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        await drop(server, wordsOf(error));
        return { outcome: 'failed', message: wordsOf(error) };
      }
    },
    standing: () =>
      Object.entries(servers).map(([name, { enabled, tools }]): ServerStanding => {
        const { latest, failure } = placeOf(name);
        const asConfigured = tools.map((tool) => ({ name: tool, state: 'unconfirmed' as const }));
        const known = latest?.tools.filter(({ name: tool }) => tools.includes(tool));
        return {
          name,
          state: !enabled ? 'off' : latest !== undefined ? 'connected' : failure ? 'failed' : 'idle',
          tools: known ?? asConfigured,
          message: failure?.message,
        };
      }),
    close: async () => {
      const all = [...places.values()].map(async ({ open: opening }) => {
        const found = await opening?.catch(() => undefined);
        await found?.connection.close();
      });
      await Promise.all(all);
    },
  };
}

const offWords: Partial<Record<ComparedTool['state'], string>> = {
  unconfirmed: 'is off until you confirm it',
  changed: 'says something else of itself than when you allowed it, and is off until you confirm it',
  unfit: 'cannot be shown as it is, and is off',
  gone: 'is not there any more',
};

/** None where a tool is off, or would be called as another is. */
function foreignTool(
  allowed: ReadonlyMap<string, AllowedTool>,
  server: string,
  { name: tool, state, fit }: ComparedTool,
): ForeignTool[] {
  const name = modelName(server, tool);
  if (state !== 'offered' || fit === undefined || allowed.get(name)?.tool !== tool) return [];
  return [{ name, description: fit.description, parameters: fit.parameters }];
}

function wordsOf(error: unknown): string {
  return isTradeAgentError(error) ? error.message : 'something went wrong inside trade-agent';
}
