import { createHash } from 'node:crypto';
import type { McpServersConfig } from '../../config/mcp-servers.ts';

/** Chat APIs allow no more, and no other characters. */
const LONGEST_NAME = 64;

/** A tool that the owner allowed, by its name to the language model. */
export interface AllowedTool {
  readonly server: string;
  /** As the server calls it. */
  readonly tool: string;
}

/**
 * What a tool is called to a language model: `mcp__news__search`. A name that chat APIs don't take is replaced in part, and
 * ends with eight characters that tell it from any other.
 */
export function modelName(server: string, tool: string): string {
  const plain = `mcp__${server}__${tool}`;
  if (/^[A-Za-z0-9_-]+$/.test(plain) && plain.length <= LONGEST_NAME) return plain;
  const mark = createHash('sha256').update(tool).digest('hex').slice(0, 8);
  return `${plain.replace(/[^A-Za-z0-9_-]/g, '_').slice(0, LONGEST_NAME - mark.length - 1)}_${mark}`;
}

/** All that the owner allowed, by the profile alone. Of two that would be called the same, neither is there. */
export function allowedTools(servers: McpServersConfig): ReadonlyMap<string, AllowedTool> {
  const all = Object.entries(servers).flatMap(([server, { enabled, tools }]) =>
    enabled ? [...new Set(tools)].map((tool) => ({ server, tool })) : [],
  );
  const byName = Map.groupBy(all, ({ server, tool }) => modelName(server, tool));
  return new Map(
    [...byName].flatMap(([name, [one, ...others]]) =>
      one === undefined || others.length > 0 ? [] : [[name, one]],
    ),
  );
}
