/**
 * Returns the profile name for a server address that was given instead of a profile. Different addresses have different
 * names. The function has a separate file because every command loads it.
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

/** Returns the 32-bit FNV-1a hash in hex. Not for security: it only distinguishes names. */
function fnv1a(text: string): string {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash.toString(16).padStart(8, '0');
}
