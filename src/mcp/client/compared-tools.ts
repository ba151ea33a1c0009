import type { McpServerConfig } from '../../config/mcp-servers.ts';
import { computeToolPin } from '../../net/tool-pin.ts';
import { detectToolDanger, type ToolDanger } from './tool-danger.ts';
import { type McpServerTool, type SanitizedTool, sanitizeTool } from './tool-text.ts';

/**
 * State of a server's tool:
 * - `offered`: available to the language model.
 * - `not_allowed`: not listed in the owner's settings.
 * - `unconfirmed`: listed, but its description was never confirmed.
 * - `changed`: its description changed after it was confirmed.
 * - `unsafe`: it could act without approval on the phone, and the owner did not confirm it explicitly.
 * - `unfit`: too long, or can't be displayed faithfully.
 * - `gone`: listed, but no longer offered by the server.
 */
export type ToolState = 'offered' | 'not_allowed' | 'unconfirmed' | 'changed' | 'unsafe' | 'unfit' | 'gone';

export interface ComparedTool {
  readonly name: string;
  readonly state: ToolState;
  /** Hash of everything that a model reads about the tool. Undefined if the state is `gone`. */
  readonly pin: string | undefined;
  /** The tool with sanitized texts. Undefined if the state is `gone` or `unfit`. */
  readonly fit: SanitizedTool | undefined;
  readonly danger: ToolDanger | undefined;
}

/** Compares a server's tools with the owner's settings. If several tools have the same name, only the first is used. */
export function compareTools(
  { tools: allowed, pins, unsafe }: Pick<McpServerConfig, 'tools' | 'pins' | 'unsafe'>,
  offered: readonly McpServerTool[],
): readonly ComparedTool[] {
  const byName = new Map([...offered].reverse().map((tool) => [tool.name, tool]));
  const there = [...byName.values()].reverse().map((tool): ComparedTool => {
    const [fit, pin, danger] = [sanitizeTool(tool), computeToolPin(tool), detectToolDanger(tool)];
    return { name: tool.name, state: stateOf(tool.name, pin, fit, danger), pin, fit, danger };
  });
  const gone = allowed
    .filter((name) => !byName.has(name))
    .map((name) => ({ name, state: 'gone' as const, pin: undefined, fit: undefined, danger: undefined }));
  return [...there, ...gone];

  function stateOf(
    name: string,
    pin: string,
    fit: SanitizedTool | undefined,
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
