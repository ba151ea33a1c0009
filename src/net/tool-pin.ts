import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';

interface DescribedTool {
  readonly description?: string | undefined;
  readonly inputSchema: Readonly<Record<string, unknown>>;
}

/**
 * SHA-256 (hex) over the RFC 8785 form of all that a language model reads of a tool. A server that changes a word of it is
 * offering something else than what was allowed.
 */
export function pinOf({ description = '', inputSchema }: DescribedTool): string {
  const text = canonicalize({ description, inputSchema }) ?? '';
  return createHash('sha256').update(text).digest('hex');
}
