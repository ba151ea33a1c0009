import type { CallToolResult } from '@modelcontextprotocol/client';
import { safeLine } from '../../../text/sanitize.ts';
import { NoResponseError } from '../rest-client.ts';
import { McpToolError } from './failure.ts';
import type { RejectionMapping } from './mapping.ts';

/** Maximum length of a message, in characters. */
const MAX_MESSAGE_LENGTH = 300;

/** Returns the value at a JSON pointer (RFC 6901); undefined if there is no such value. */
export function valueAtPointer(value: unknown, pointer: string): unknown {
  let at = value;
  for (const part of pointer.split('/').slice(1)) {
    const name = part.replaceAll('~1', '/').replaceAll('~0', '~');
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, name)) return undefined;
    at = (at as Record<string, unknown>)[name];
  }
  return at;
}

/**
 * Returns a tool's structured content, or its text content parsed as JSON.
 * @throws {McpToolError} if the tool reports a failure
 * @throws {NoResponseError} if the result is unreadable
 */
export function parseToolResult(result: CallToolResult, refusals: RejectionMapping | undefined): unknown {
  const { content, structuredContent, isError } = result;
  const [part, ...others] = content ?? [];
  const text = part?.type === 'text' && others.length === 0 ? part.text : undefined;
  const json = structuredContent ?? (text === undefined ? undefined : parsed(text));
  const no = refusals === undefined ? undefined : refusalIn(json, refusals);
  if (no !== undefined) throw no;
  if (isError === true) throw textNo(text ?? '', refusals);
  if (json === undefined) throw new NoResponseError('unreadable');
  return json;
}

function refusalIn(json: unknown, { at, status, code, message }: RejectionMapping): McpToolError | undefined {
  const no = valueAtPointer(json, at);
  if (no === undefined || no === null) return undefined;
  const words = valueAtPointer(no, message);
  const theirs = valueAtPointer(no, code);
  return new McpToolError({
    status: statusOf(valueAtPointer(no, status)),
    code: typeof theirs === 'string' || typeof theirs === 'number' ? safeLine(String(theirs), 40) : undefined,
    words: typeof words === 'string' ? safeLine(words, MAX_MESSAGE_LENGTH) : '',
    isStructured: true,
  });
}

function textNo(text: string, refusals: RejectionMapping | undefined): McpToolError {
  const { status_after: before, own } = refusals?.text ?? {};
  const from = before === undefined ? -1 : text.indexOf(before);
  const status = from < 0 ? undefined : statusOf(/^\d{3}\b/.exec(text.slice(from + (before ?? '').length))?.[0]);
  return new McpToolError({
    status,
    code: own !== undefined && text.includes(own) ? 'text' : undefined,
    words: safeLine(text, MAX_MESSAGE_LENGTH),
    isStructured: false,
  });
}

function statusOf(value: unknown): number | undefined {
  const status = Number(value);
  return Number.isInteger(status) && status >= 100 && status <= 599 ? status : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
