import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';

interface DescribedTool {
  readonly description?: string | undefined;
  readonly inputSchema: Readonly<Record<string, unknown>>;
}

/**
 * Returns the SHA-256 (hex) of everything that a language model reads about a tool, as canonical JSON (RFC 8785). If a
 * server changes any of these texts, the tool is no longer the one that the owner allowed.
 */
export function computeToolPin({ description = '', inputSchema }: DescribedTool): string {
  const text = canonicalize({ description, inputSchema }) ?? '';
  return createHash('sha256').update(text).digest('hex');
}
