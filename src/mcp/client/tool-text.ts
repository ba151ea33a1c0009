import { neutralizeMarkers, removeRoleLabels } from '../../agent/graph/inert-text.ts';
import { hasInvisibleCharacters } from '../../text/invisible.ts';
import { safeText } from '../../text/sanitize.ts';

/** A tool as its server describes it. All its text is untrusted. */
export interface McpServerTool {
  readonly name: string;
  readonly description?: string | undefined;
  readonly inputSchema: Readonly<Record<string, unknown>>;
  readonly annotations?:
    | { readonly readOnlyHint?: boolean | undefined; readonly destructiveHint?: boolean | undefined }
    | undefined;
}

export interface SanitizedTool {
  readonly name: string;
  readonly description: string;
  readonly parameters: Readonly<Record<string, unknown>>;
}

const MAX_DESCRIPTION_LENGTH = 2048;
const MAX_SCHEMA_LENGTH = 16 * 1024;
const MAX_SCHEMA_DEPTH = 32;

/** Sanitizes a tool's texts. Returns undefined if that would change a property name or a constant. */
export function sanitizeTool({ name, description = '', inputSchema }: McpServerTool): SanitizedTool | undefined {
  if (hasInvisibleCharacters(name) || name.length > 128) return undefined;
  if (inputSchema.type !== 'object' || JSON.stringify(inputSchema).length > MAX_SCHEMA_LENGTH) return undefined;
  const parameters = fitValue(inputSchema, 0);
  if (parameters === UNFIT) return undefined;
  return { name, description: fitText(description), parameters: parameters as SanitizedTool['parameters'] };
}

function fitText(text: string): string {
  return neutralizeMarkers(removeRoleLabels(safeText(text).slice(0, MAX_DESCRIPTION_LENGTH).toWellFormed()));
}

const UNFIT = Symbol('unfit');

/**
 * Schema members with text for the model, which is sanitized. Members that only validators or forms use are dropped.
 */
const descriptiveMembers = new Set(['description', 'title']);
const droppedMembers = new Set(['$comment', 'examples', 'default']);

function fitValue(value: unknown, depth: number): unknown {
  if (depth > MAX_SCHEMA_DEPTH) return UNFIT;
  if (typeof value === 'string') return isFit(value) ? value : UNFIT;
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    const items = value.map((item) => fitValue(item, depth + 1));
    return items.includes(UNFIT) ? UNFIT : items;
  }
  const members = Object.entries(value).flatMap(([key, member]): [string, unknown][] => {
    if (typeof member === 'string' && descriptiveMembers.has(key)) return [[key, fitText(member)]];
    // A dropped member such as "default" has a plain value. If its value is a schema, it is a property with that name.
    if (droppedMembers.has(key) && !isSchema(member)) return [];
    return [[key, isFit(key) ? fitValue(member, depth + 1) : UNFIT]];
  });
  return members.some(([, member]) => member === UNFIT) ? UNFIT : Object.fromEntries(members);
}

function isSchema(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isFit(text: string): boolean {
  return !hasInvisibleCharacters(text) && neutralizeMarkers(removeRoleLabels(text)) === text;
}
