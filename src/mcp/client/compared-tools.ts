import type { McpServerConfig } from '../../config/mcp-servers.ts';
import { pinOf } from '../../net/tool-pin.ts';
import { dangerOf, type ToolDanger } from './tool-danger.ts';
import { type FitTool, fitTool, type ServerTool } from './tool-text.ts';

/**
 * How a tool of a server stands:
 * - `offered` to the language model;
 * - `not_allowed`: the owner did not name it;
 * - `unconfirmed`: named, but nobody has seen what it says of itself;
 * - `changed` since somebody did; either is off until confirmed;
 * - `unsafe`: named, but it could act past the phone, and the owner did not insist;
 * - `unfit`: it cannot be shown as it is, or is too long;
 * - `gone`: named, and not there any more.
 */
export type ToolState = 'offered' | 'not_allowed' | 'unconfirmed' | 'changed' | 'unsafe' | 'unfit' | 'gone';

export interface ComparedTool {
  /** As the server calls it. */
  readonly name: string;
  readonly state: ToolState;
  /** Undefined for one that is gone. */
  readonly pin: string | undefined;
  /** Undefined for one that is gone or unfit. */
  readonly fit: FitTool | undefined;
  /** What it could do past the phone. */
  readonly danger: ToolDanger | undefined;
}

/** What a server offers beside what its owner allowed. Of two tools of one name the first counts. */
export function compareTools(
  { tools: allowed, pins, unsafe }: Pick<McpServerConfig, 'tools' | 'pins' | 'unsafe'>,
  offered: readonly ServerTool[],
): readonly ComparedTool[] {
  const byName = new Map([...offered].reverse().map((tool) => [tool.name, tool]));
  const there = [...byName.values()].reverse().map((tool): ComparedTool => {
    const [fit, pin, danger] = [fitTool(tool), pinOf(tool), dangerOf(tool)];
    return { name: tool.name, state: stateOf(tool.name, pin, fit, danger), pin, fit, danger };
  });
  const gone = allowed
    .filter((name) => !byName.has(name))
    .map((name) => ({ name, state: 'gone' as const, pin: undefined, fit: undefined, danger: undefined }));
  return [...there, ...gone];

  function stateOf(
    name: string,
    pin: string,
    fit: FitTool | undefined,
    danger: ToolDanger | undefined,
  ): ToolState {
    if (fit === undefined) return 'unfit';
    if (!allowed.includes(name)) return 'not_allowed';
    if (danger !== undefined && !unsafe.includes(name)) return 'unsafe';
    const kept = Object.hasOwn(pins, name) ? pins[name] : undefined;
    if (kept === undefined) return 'unconfirmed';
    return kept === pin ? 'offered' : 'changed';
  }
}
