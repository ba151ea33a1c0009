import type { McpServerConfig } from '../../../config/mcp-servers.ts';
import { writeEntry } from '../../../config/named-entries.ts';
import { TradeAgentError } from '../../../errors/errors.ts';
import type { ComparedTool } from '../../../mcp/client/compared-tools.ts';
import { dangerWords } from '../../../mcp/client/tool-danger.ts';
import { closestMatch } from '../../../text/closest-match.ts';
import type { App } from '../../app.ts';
import { type LookedAtServer, lookAt, type OpenBrowser } from './look-at-server.ts';
import { serverNamed } from './server-named.ts';
import { serverPlace } from './server-place.ts';

/** What is allowed of a server, and what each tool said of itself when it was. */
export type Allowed = Pick<McpServerConfig, 'tools' | 'pins' | 'unsafe'>;

/** Has a person insist on tools that could act past their phone, and throws where they don't. */
export type Insist = (server: string, tools: readonly ComparedTool[]) => Promise<void>;

/**
 * What is allowed once these tools are too, each as it is now.
 * @param insist asked about those that could act past the phone; without it they are refused
 * @throws {TradeAgentError} `not_found` for a tool that the server has not; `usage` for one that cannot be shown as it is;
 *   `blocked` for one that could act past the phone; what `insist` throws
 */
export async function allowing(
  { name: server, tools: there }: Pick<LookedAtServer, 'name' | 'tools'>,
  before: Allowed,
  tools: readonly string[],
  insist: Insist | undefined,
): Promise<Allowed> {
  const chosen = tools.map((name) => {
    const found = there.find((tool) => tool.name === name && tool.state !== 'gone');
    if (found === undefined) throw noSuchTool(server, name, there);
    if (found.fit === undefined || found.pin === undefined) {
      throw new TradeAgentError(
        'usage',
        `${name} of ${server} cannot be shown as it is, so it cannot be allowed`,
        {
          hint: 'Its names or values hold characters that hide, or it is too long. Tell who runs the server.',
        },
      );
    }
    return [name, found.pin] as const;
  });
  const dangerous = there.filter(({ name, danger }) => danger !== undefined && tools.includes(name));
  const [first] = dangerous;
  if (first !== undefined) {
    if (insist === undefined) throw refused(server, first);
    await insist(server, dangerous);
  }
  return {
    tools: [...new Set([...before.tools, ...tools])],
    pins: { ...before.pins, ...Object.fromEntries(chosen) },
    unsafe: [...new Set([...before.unsafe, ...dangerous.map(({ name }) => name)])],
  };
}

/** What of it goes into `config.yaml`: most profiles have no unsafe tool, and need no line about it. */
export function entryOf({ unsafe, ...allowed }: Allowed): Partial<Allowed> {
  return { ...allowed, ...(unsafe.length === 0 ? {} : { unsafe }) };
}

/**
 * Allows tools of a server, or confirms what they say of themselves now.
 * @param agree is shown what each says, and throws where the person would rather not: then nothing is written
 * @throws {TradeAgentError} as {@link allowing}; what connecting and `agree` throw; `invalid_config`
 */
export async function allowTools(
  app: App,
  name: string,
  tools: readonly string[],
  {
    open,
    agree,
    insist,
  }: {
    open: OpenBrowser;
    agree: (tools: readonly ComparedTool[]) => Promise<void>;
    insist: Insist | undefined;
  },
): Promise<readonly ComparedTool[]> {
  const server = await serverNamed(app, name);
  const looked = await lookAt(app, name, server, open);
  const allowed = await allowing(looked, server, tools, insist);
  const chosen = looked.tools.filter((tool) => tools.includes(tool.name));
  await agree(chosen);
  await writeEntry(await serverPlace(app, name), entryOf(allowed));
  return chosen.map((tool) => ({ ...tool, state: 'offered' as const }));
}

function refused(server: string, { name, danger }: ComparedTool): TradeAgentError {
  const why = danger === undefined ? 'is unsafe' : dangerWords[danger];
  return new TradeAgentError('blocked', `${name} of ${server} ${why}`, {
    hint: 'Nothing was allowed. The gateway speaks with brokers itself, behind your phone (docs/guide/BROKERS.md); use --unsafe to allow the tool anyway.',
  });
}

function noSuchTool(server: string, name: string, tools: readonly ComparedTool[]): TradeAgentError {
  const names = tools.filter(({ state }) => state !== 'gone').map((tool) => tool.name);
  const nearest = closestMatch(name, names);
  return new TradeAgentError('not_found', `${server} has no tool "${name}"`, {
    hint:
      nearest === undefined
        ? `See "trade-agent mcp servers test ${server}".`
        : `Did you mean "${nearest}"? Nothing was changed.`,
  });
}
