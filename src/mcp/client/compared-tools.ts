import type { McpServerConfig } from '../../config/mcp-servers.ts';
import { pinOf } from '../../net/tool-pin.ts';
import { type FitTool, fitTool, type ServerTool } from './tool-text.ts';

/**
 * How a tool of a server stands:
 * - `offered` to the language model;
 * - `not_allowed`: the owner did not name it;
 * - `unconfirmed`: named, but nobody has seen what it says of itself;
 * - `changed` since somebody did; either is off until confirmed;
 * - `unfit`: it cannot be shown as it is, or is too long;
 * - `gone`: named, and not there any more.
 */
export type ToolState = 'offered' | 'not_allowed' | 'unconfirmed' | 'changed' | 'unfit' | 'gone';

export interface ComparedTool {
  /** As the server calls it. */
  readonly name: string;
  readonly state: ToolState;
  /** Undefined for one that is gone. */
  readonly pin: string | undefined;
  /** Undefined for one that is gone or unfit. */
  readonly fit: FitTool | undefined;
}

/** What a server offers beside what its owner allowed. Of two tools of one name the first counts. */
export function compareTools(
  { tools: allowed, pins }: Pick<McpServerConfig, 'tools' | 'pins'>,
  offered: readonly ServerTool[],
): readonly ComparedTool[] {
  const byName = new Map([...offered].reverse().map((tool) => [tool.name, tool]));
  const there = [...byName.values()].reverse().map((tool): ComparedTool => {
    const [fit, pin] = [fitTool(tool), pinOf(tool)];
    return { name: tool.name, state: stateOf(tool.name, pin, fit), pin, fit };
  });
  const gone = allowed
    .filter((name) => !byName.has(name))
    .map((name) => ({ name, state: 'gone' as const, pin: undefined, fit: undefined }));
  return [...there, ...gone];

  function stateOf(name: string, pin: string, fit: FitTool | undefined): ToolState {
    if (fit === undefined) return 'unfit';
    if (!allowed.includes(name)) return 'not_allowed';
    const kept = Object.hasOwn(pins, name) ? pins[name] : undefined;
    if (kept === undefined) return 'unconfirmed';
    return kept === pin ? 'offered' : 'changed';
  }
}
