import type { CallToolResult } from '@modelcontextprotocol/client';
import { safeText } from '../../net/shown-text.ts';

/** Bytes (UTF-8) of a result that a language model is given. */
export const LONGEST_RESULT = 32 * 1024;

export interface ResultText {
  /** False where the server says that the tool failed. */
  readonly ok: boolean;
  readonly text: string;
  readonly cut: boolean;
}

/** What a server answered, as text without what draws or hides, and cut. */
export function resultText({ content, structuredContent, isError }: CallToolResult): ResultText {
  const parts = (content ?? []).map(partText);
  if (parts.length === 0 && structuredContent !== undefined) parts.push(JSON.stringify(structuredContent));
  const text = safeText(parts.join('\n'));
  const bytes = Buffer.from(text);
  const ok = isError !== true;
  if (bytes.length <= LONGEST_RESULT) return { ok, text, cut: false };
  // A character that was cut in two is dropped.
  const kept = new TextDecoder().decode(bytes.subarray(0, LONGEST_RESULT)).replace(/\ufffd+$/, '');
  return { ok, text: `${kept}\n[cut here: the answer had ${bytes.length} bytes]`, cut: true };
}

function partText(part: CallToolResult['content'][number]): string {
  switch (part.type) {
    case 'text':
      return part.text;
    case 'resource':
      return 'text' in part.resource ? part.resource.text : `[${part.resource.uri}: not text]`;
    case 'resource_link':
      return `[${part.name}: ${part.uri}]`;
    default:
      return `[${part.type}: not text]`;
  }
}
