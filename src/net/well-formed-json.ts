/**
 * Whether every string is text, keys as well. An escape (`\ud800`) can make one that is not: no UTF-8, and so no JSON to
 * digest or to send (RFC 8259 §8.2, RFC 8785 §3.2.2.2).
 */
export function isWellFormed(json: unknown): boolean {
  const left: unknown[] = [json];
  while (left.length > 0) {
    const value = left.pop();
    if (typeof value === 'string' && !value.isWellFormed()) return false;
    if (typeof value === 'object' && value !== null) {
      for (const [key, inner] of Object.entries(value)) left.push(key, inner);
    }
  }
  return true;
}
