import type { InspectedMcpServer, ListedMcpServer } from '../../../app/mcp/servers.ts';
import type { ComparedTool, ToolState } from '../../../mcp/client/compared-tools.ts';
import { toolDangerTexts } from '../../../mcp/client/tool-danger.ts';
import { safeLine } from '../../../text/sanitize.ts';

/** Formats a server: `news  https://news.example/mcp  search, headlines (not confirmed)`. */
export function mcpServerLine({ name, at, enabled, tools }: ListedMcpServer): string {
  const allowed = tools.map((tool) => `${safeLine(tool.name)}${tool.pinned ? '' : ' (not confirmed)'}`);
  return `${name}${enabled ? '' : ' (off)'}  ${safeLine(at, 120)}  ${allowed.length === 0 ? 'no tools allowed' : allowed.join(', ')}`;
}

export function mcpServerText({ name, protocol, about, tools }: InspectedMcpServer): string {
  const itself = about.name === '' ? '' : `, identifies as ${about.name} ${about.version}`.trimEnd();
  const head = `${name}: connected (${safeLine(protocol, 20)})${itself}`;
  return [head, ...(tools.length === 0 ? ['It has no tools.'] : tools.map(mcpToolText))].join('\n');
}

const stateWords: Readonly<Record<ToolState, string>> = {
  offered: 'allowed',
  not_allowed: 'not allowed',
  unconfirmed: 'disabled until you confirm it',
  changed: 'CHANGED since you allowed it: disabled until you confirm it',
  unsafe: 'UNSAFE: disabled',
  unfit: 'cannot be displayed safely: disabled',
  gone: 'no longer exists',
};

/** Formats a tool's description and arguments in full, because the language model would read all of them. */
export function mcpToolText({ name, state, fit, danger }: ComparedTool): string {
  const said = fit?.description ?? '';
  return [
    `  ${safeLine(name)}  (${stateWords[state]})`,
    ...(danger === undefined ? [] : [`      WARNING: this tool ${toolDangerTexts[danger]}.`]),
    ...(said === '' ? [] : said.split('\n').map((line) => `      ${line}`)),
    ...toolArguments(fit).map((one) => `      ${argumentLine(one)}`),
  ].join('\n');
}

function argumentLine({ name, required, description }: ToolArgument): string {
  return `${name}${required ? '' : '?'}${description === undefined ? '' : `: ${safeLine(description)}`}`;
}

interface ToolArgument {
  readonly name: string;
  readonly required: boolean;
  readonly description?: string;
}

function toolArguments(fit: ComparedTool['fit']): ToolArgument[] {
  const { properties, required } = fit?.parameters ?? {};
  const needed: readonly unknown[] = Array.isArray(required) ? required : [];
  return Object.entries((properties ?? {}) as Record<string, { description?: unknown } | undefined>).map(
    ([name, schema]) => ({
      name,
      required: needed.includes(name),
      ...(typeof schema?.description === 'string' ? { description: schema.description } : {}),
    }),
  );
}

export function toMcpToolData({ name, state, pin, fit, danger }: ComparedTool) {
  return {
    name,
    state,
    description: fit?.description ?? null,
    arguments: toolArguments(fit),
    sha256: pin ?? null,
    danger: danger ?? null,
  };
}
