import { isLoopback } from '../../../net/secure-url.ts';

const LONGEST_REDIRECT = 500;

/** Of programs whose own scheme is one word; by RFC 8252 §7.1 it would be a domain name, which nobody else's is. */
const KNOWN_SCHEMES: readonly string[] = ['cursor:', 'vscode:', 'vscode-insiders:'];

/** A domain name in reverse (RFC 8252 §7.1): `com.example.app:`. None that a browser runs or reads looks so. */
const REVERSED_DOMAIN = /^[a-z][a-z0-9-]*(?:\.[a-z0-9-]+)+:$/;

/** Where a program may be answered: by https, at this person's own machine, or by an app that opens a scheme of its own. */
export function isRedirect(redirect: unknown): redirect is string {
  if (typeof redirect !== 'string' || redirect.length > LONGEST_REDIRECT) return false;
  const url = URL.parse(redirect);
  if (url === null || redirect.includes('#') || url.username !== '' || url.password !== '') return false;
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url)) || isOfApp(url);
}

/** Whether it is answered by whichever app of the person's device opens such addresses. */
export function isOfApp({ protocol }: Pick<URL, 'protocol'>): boolean {
  return KNOWN_SCHEMES.includes(protocol) || REVERSED_DOMAIN.test(protocol);
}

/** Whom the answer goes to, in short: `agent.example`, `127.0.0.1:9123`, `cursor:`. */
export function answeredAt(redirectUri: string): string {
  const url = new URL(redirectUri);
  return isOfApp(url) ? url.protocol : url.host;
}
