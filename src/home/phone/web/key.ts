const NAME = 'trade-agent.phone-key';

/**
 * This origin's own secret, which goes with every request. Cookies know no ports: whatever else runs on this machine
 * receives them (RFC 6265 §8.5). An origin's storage is its own.
 * @returns 43 base64url characters, made at the first use
 * @throws {DOMException} where the browser keeps nothing for this page
 */
export function phoneKey(): string {
  const kept = localStorage.getItem(NAME);
  if (kept !== null) return kept;
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  const made = btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
  localStorage.setItem(NAME, made);
  return made;
}
