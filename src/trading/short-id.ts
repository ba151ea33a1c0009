/** Fewer than this and one id of yesterday's is soon another's beginning. */
const SHORTEST = 8;

/**
 * Ids as people read and type them: as many of their first characters as tell each from all others given, at least
 * {@link SHORTEST}. Ids that are short already stay whole.
 */
export function shortIds(ids: readonly string[]): (id: string) => string {
  const all = [...new Set(ids)];
  const longest = Math.max(SHORTEST, ...all.map(({ length }) => length));
  let length = SHORTEST;
  while (length < longest && new Set(all.map((id) => id.slice(0, length))).size < all.length) length++;
  // A prefix that ends in a dash says no more than the one without.
  return (id) => (/^[0-9a-f]{8}-[0-9a-f]{4}-/i.test(id) ? id.slice(0, length).replace(/-$/, '') : id);
}
