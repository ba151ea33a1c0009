import { type AllClientMetadata, type Client, errors } from 'oidc-provider';
import { isLoopback } from '../../../net/secure-url.ts';
import type { NamedClient } from '../../../store/home/authorized-clients.ts';
import { safeLine } from '../../../text/shown-text.ts';
import { printableAscii } from '../../../text/unseen.ts';

const GRANTS = ['authorization_code', 'refresh_token'];
const MOST_REDIRECTS = 20;
const LONGEST_NAME = 60;
/** A name and its host fit a proposal's 80 characters for who asked. */
const [LONGEST_SHORT_NAME, LONGEST_HOST] = [36, 40];

export const publicClientDefaults = {
  application_type: 'native',
  grant_types: [...GRANTS],
  response_types: ['code'],
  token_endpoint_auth_method: 'none',
} as const;

/** Whether a client is anybody's program: none of the home's own uses authorization codes. */
export function isPublicClient(client: Pick<Client, 'responseTypeAllowed'>): boolean {
  return client.responseTypeAllowed('code');
}

/** Whether a client's id is its metadata document (CIMD). */
export function isDocumentId(clientId: string | undefined): boolean {
  return clientId !== undefined && /^https:\/\//i.test(clientId);
}

/**
 * Restricts a registration to a public client that is answered at this person's machine, by https, or by an app; removes what
 * it can't have, as RFC 7591 §2 allows.
 * @throws `invalid_client_metadata`, `invalid_redirect_uri`
 */
export function checkPublicClient(metadata: AllClientMetadata): void {
  if (metadata.token_endpoint_auth_method !== 'none') {
    throw new errors.InvalidClientMetadata('token_endpoint_auth_method must be none');
  }
  metadata.grant_types = (metadata.grant_types ?? []).filter((grant) => GRANTS.includes(grant));
  if (!metadata.grant_types.includes('authorization_code')) {
    throw new errors.InvalidClientMetadata('grant_types must include authorization_code');
  }
  metadata.response_types = ['code'];
  const redirects = metadata.redirect_uris;
  if (!Array.isArray(redirects) || redirects.length === 0 || redirects.length > MOST_REDIRECTS) {
    throw new errors.InvalidRedirectUri(`redirect_uris must have 1 to ${MOST_REDIRECTS} members`);
  }
  if (!redirects.every(isRedirect)) {
    throw new errors.InvalidRedirectUri(
      'each of redirect_uris must be https, http at localhost, or a scheme that is a reversed domain name',
    );
  }
  // Only native clients may use any port of this machine (RFC 8252 §7.3); most don't declare themselves.
  metadata.application_type = 'native';
  for (const name of REMOVED) delete metadata[name];
}

const REMOVED = [
  // Would cap what may be requested later; some register half of it.
  'scope',
  // Generated if the registration didn't decline one.
  'client_secret',
  'client_secret_expires_at',
  // Each makes the provider fetch something, or do what no such client may have done.
  'sector_identifier_uri',
  'jwks',
  'jwks_uri',
  'authorization_details_types',
  'backchannel_token_delivery_mode',
  'backchannel_client_notification_endpoint',
  'default_acr_values',
  'default_max_age',
  'require_auth_time',
] as const;

export function namedClient(
  { clientId, clientName }: Pick<Client, 'clientId' | 'clientName'>,
  redirectUri: string,
): NamedClient {
  const name = typeof clientName === 'string' ? safeLine(clientName, LONGEST_NAME) : '';
  const host = isDocumentId(clientId) ? new URL(clientId).host : answeredAt(redirectUri);
  return { name: name === '' ? 'A program without a name' : name, host };
}

/** Marks the program's orders: one line of printable ASCII, at most 80 characters. */
export function oneLineName({ name, host }: NamedClient): string {
  const short = printableAscii(name, LONGEST_SHORT_NAME);
  return `${short} (${endOf(host, LONGEST_HOST)})`;
}

/** Shortens a host at its start: its owner is at its end. */
export function endOf(host: string, longest: number): string {
  return host.length <= longest ? host : `..${host.slice(2 - longest)}`;
}

const LONGEST_REDIRECT = 500;

/** Programs with a scheme of one word; by RFC 8252 §7.1 it would be a domain name. */
const KNOWN_SCHEMES: readonly string[] = ['cursor:', 'vscode:', 'vscode-insiders:'];

/** A domain name in reverse (RFC 8252 §7.1): `com.example.app:`. No scheme of a browser's own looks like that. */
const REVERSED_DOMAIN = /^[a-z][a-z0-9-]*(?:\.[a-z0-9-]+)+:$/;

/** Allows https, this person's own machine, and an app's own scheme. */
export function isRedirect(redirect: unknown): redirect is string {
  if (typeof redirect !== 'string' || redirect.length > LONGEST_REDIRECT) return false;
  const url = URL.parse(redirect);
  if (url === null || redirect.includes('#') || url.username !== '' || url.password !== '') return false;
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url)) || isOfApp(url);
}

/** Whether any app of the person's device can answer it. */
export function isOfApp({ protocol }: Pick<URL, 'protocol'>): boolean {
  return KNOWN_SCHEMES.includes(protocol) || REVERSED_DOMAIN.test(protocol);
}

/** In short: `agent.example`, `127.0.0.1:9123`, `cursor:`. */
export function answeredAt(redirectUri: string): string {
  const url = new URL(redirectUri);
  return isOfApp(url) ? url.protocol : url.host;
}
