/** Fewer than this and one id of yesterday's is soon another's beginning. */
const SHORTEST = 8;

/** A UUID, or a prefix and many random characters (`pr_1Vq0M2k3…`): what nobody reads or types whole. */
const LONG = /^(?:(?=[0-9a-f]{8}-[0-9a-f]{4}-)|[a-z]{1,3}_(?=\w{12}))/i;

/**
 * Ids as people read and type them: as many of their first characters as tell each from all others given, at least
 * {@link SHORTEST} after a prefix. Ids that are short already stay whole.
 */
export function shortIds(ids: readonly string[]): (id: string) => string {
  const all = [...new Set(ids)];
  const longest = Math.max(SHORTEST, ...all.map(({ length }) => length));
  const cut = (id: string, length: number) => id.slice(0, (LONG.exec(id)?.[0].length ?? 0) + length);
  let length = SHORTEST;
  while (length < longest && new Set(all.map((id) => cut(id, length))).size < all.length) length++;
  // A prefix that ends in a dash says no more than the one without.
  return (id) => (LONG.test(id) ? cut(id, length).replace(/-$/, '') : id);
}
