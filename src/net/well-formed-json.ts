/**
 * Returns whether all strings and keys are well-formed Unicode. An escape such as `\ud800` can create a string that has
 * no UTF-8 form and so can't be digested or sent as JSON (RFC 8259 §8.2, RFC 8785 §3.2.2.2).
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
