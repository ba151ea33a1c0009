/**
 * What a server that was named in a profile's place is known by here, as a profile is by its name: two addresses never by the
 * same. A file of its own: each command line is read with it.
 */
export function serverProfileName(address: string): string {
  const host = URL.canParse(address) ? new URL(address).host : '';
  const readable = host
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 20);
  return `${readable === '' ? 'server' : readable}-${fnv1a(address.replace(/\/+$/, ''))}`;
}

/** FNV-1a, 32 bits, in hex: to tell names apart, and nothing else. */
function fnv1a(text: string): string {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash.toString(16).padStart(8, '0');
}
