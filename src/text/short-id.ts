/** Minimum length of a shortened ID. Anything shorter would soon be ambiguous. */
const MIN_SHORT_ID_LENGTH = 8;

/** Matches long IDs, which nobody types in full: a UUID, or a prefix and many random characters (`pr_1Vq0M2k3…`). */
const longIdPattern = /^(?:(?=[0-9a-f]{8}-[0-9a-f]{4}-)|[a-z]{1,3}_(?=\w{12}))/i;

/**
 * Returns a function that shortens each ID to the first characters that distinguish it from all others, but keeps at
 * least {@link MIN_SHORT_ID_LENGTH} characters after a prefix. IDs that are already short are not shortened.
 */
export function createIdShortener(ids: readonly string[]): (id: string) => string {
  const all = [...new Set(ids)];
  const longest = Math.max(MIN_SHORT_ID_LENGTH, ...all.map(({ length }) => length));
  const cut = (id: string, length: number) => id.slice(0, (longIdPattern.exec(id)?.[0].length ?? 0) + length);
  let length = MIN_SHORT_ID_LENGTH;
  while (length < longest && new Set(all.map((id) => cut(id, length))).size < all.length) length++;
  // A dash at the end of a shortened ID is meaningless.
  return (id) => (longIdPattern.test(id) ? cut(id, length).replace(/-$/, '') : id);
}
