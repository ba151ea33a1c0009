/**
 * The profile name for a server that was named in a profile's place; unique for its address. In a file of its own
 * since every command line loads it.
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

/** FNV-1a, 32 bits, in hex; only to tell names apart. */
function fnv1a(text: string): string {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash.toString(16).padStart(8, '0');
}
