/*
 * A client_order_id as Tradier's `tag`, which has letters, digits and "-" alone: "-" is written "--", and "_" is "-u". The
 * longest id, 48 characters, becomes 96 at most; a tag may have 255.
 */

export function tagOf(clientOrderId: string): string {
  return clientOrderId.replace(/[-_]/g, (mark) => (mark === '-' ? '--' : '-u'));
}

/** The id of a tag of ours; any other tag as it is, and nothing where there is none. */
export function clientOrderIdOf(tag: string | undefined): string {
  if (tag === undefined) return '';
  const id = tag.replace(/-(.)/g, (pair, mark: string) => (mark === '-' ? '-' : mark === 'u' ? '_' : pair));
  return tagOf(id) === tag ? id : tag;
}
