import { type AllClientMetadata, type Client, errors } from 'oidc-provider';
import { isLoopbackUrl } from '../../../net/secure-url.ts';
import type { NamedClient } from '../../../store/home/authorized-clients.ts';
import { printableAscii } from '../../../text/invisible.ts';
import { safeLine } from '../../../text/sanitize.ts';

const GRANTS = ['authorization_code', 'refresh_token'];
const MAX_REDIRECTS = 20;
const MAX_NAME_LENGTH = 60;
/** Maximum lengths in characters, which together fit into the 80 characters of a proposal's requester name. */
const [MAX_SHORT_NAME_LENGTH, MAX_HOST_LENGTH] = [36, 40];

export const publicClientDefaults = {
  application_type: 'native',
  grant_types: [...GRANTS],
  response_types: ['code'],
  token_endpoint_auth_method: 'none',
} as const;

/** Returns whether a client belongs to a third party. Only third-party clients use authorization codes. */
export function isPublicClient(client: Pick<Client, 'responseTypeAllowed'>): boolean {
  return client.responseTypeAllowed('code');
}

/** Returns whether a client's id is the address of its metadata document (CIMD). */
export function isDocumentClientId(clientId: string | undefined): boolean {
  return clientId !== undefined && /^https:\/\//i.test(clientId);
}

/**
 * Checks that a public client receives its code at an https address, on the person's machine, or in an app. Removes
 * metadata that public clients can't have, as RFC 7591 §2 allows.
 * @throws `invalid_client_metadata`, `invalid_redirect_uri`
 */
export function restrictToPublicClient(metadata: AllClientMetadata): void {
  if (metadata.token_endpoint_auth_method !== 'none') {
    throw new errors.InvalidClientMetadata('token_endpoint_auth_method must be none');
  }
  metadata.grant_types = (metadata.grant_types ?? []).filter((grant) => GRANTS.includes(grant));
  if (!metadata.grant_types.includes('authorization_code')) {
    throw new errors.InvalidClientMetadata('grant_types must include authorization_code');
  }
  metadata.response_types = ['code'];
  const redirects = metadata.redirect_uris;
  if (!Array.isArray(redirects) || redirects.length === 0 || redirects.length > MAX_REDIRECTS) {
    throw new errors.InvalidRedirectUri(`redirect_uris must have 1 to ${MAX_REDIRECTS} members`);
  }
  if (!redirects.every(isAllowedRedirect)) {
    throw new errors.InvalidRedirectUri(
      'each redirect URI must be https, http on localhost, or a scheme that is a reversed domain name',
    );
  }
  // Only native clients may use any port on this machine (RFC 8252 §7.3), and most don't declare themselves native.
  metadata.application_type = 'native';
  for (const name of REMOVED_METADATA) delete metadata[name];
}

const REMOVED_METADATA = [
  // A registered scope would limit later requests, and some clients register only half of the scopes that they request.
  'scope',
  // The library would generate a secret if the registration didn't decline it.
  'client_secret',
  'client_secret_expires_at',
  // Each of these makes the provider send requests, or allows something that public clients must not do.
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

export function toNamedClient(
  { clientId, clientName }: Pick<Client, 'clientId' | 'clientName'>,
  redirectUri: string,
): NamedClient {
  const name = typeof clientName === 'string' ? safeLine(clientName, MAX_NAME_LENGTH) : '';
  const host = isDocumentClientId(clientId) ? new URL(clientId).host : formatRedirectTarget(redirectUri);
  return { name: name === '' ? 'Unnamed app' : name, host };
}

/** Returns the client's name for its orders: one line of printable ASCII with at most 80 characters. */
export function oneLineClientName({ name, host }: NamedClient): string {
  const short = printableAscii(name, MAX_SHORT_NAME_LENGTH);
  return `${short} (${shortenHost(host, MAX_HOST_LENGTH)})`;
}

/** Removes the start of a long host name, because the end shows who owns it. */
export function shortenHost(host: string, longest: number): string {
  return host.length <= longest ? host : `..${host.slice(2 - longest)}`;
}

const MAX_REDIRECT_LENGTH = 500;

/** Redirect schemes of well-known apps that, contrary to RFC 8252 §7.1, are a single word and not a domain name. */
const KNOWN_SCHEMES: readonly string[] = ['cursor:', 'vscode:', 'vscode-insiders:'];

/** Matches a reversed domain name (RFC 8252 §7.1), such as `com.example.app:`. Browsers' own schemes don't match. */
const REVERSED_DOMAIN = /^[a-z][a-z0-9-]*(?:\.[a-z0-9-]+)+:$/;

/** Returns whether a redirect is allowed: to https, to the person's own machine, or to an app's own scheme. */
export function isAllowedRedirect(redirect: unknown): redirect is string {
  if (typeof redirect !== 'string' || redirect.length > MAX_REDIRECT_LENGTH) return false;
  const url = URL.parse(redirect);
  if (url === null || redirect.includes('#') || url.username !== '' || url.password !== '') return false;
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopbackUrl(url)) || hasAppScheme(url);
}

/** Returns whether a redirect URI has an app's own scheme, which any app on the person's device could claim. */
export function hasAppScheme({ protocol }: Pick<URL, 'protocol'>): boolean {
  return KNOWN_SCHEMES.includes(protocol) || REVERSED_DOMAIN.test(protocol);
}

/** Returns a redirect URI's short form for display, such as `agent.example`, `127.0.0.1:9123`, or `cursor:`. */
export function formatRedirectTarget(redirectUri: string): string {
  const url = new URL(redirectUri);
  return hasAppScheme(url) ? url.protocol : url.host;
}
