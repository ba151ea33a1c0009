import { type AllClientMetadata, type Client, errors } from 'oidc-provider';
import { isLoopback } from '../../../net/secure-url.ts';
import type { NamedClient } from '../../../store/home/authorized-clients.ts';
import { safeLine } from '../../../text/shown-text.ts';
import { printableAscii } from '../../../text/unseen.ts';

/** Of what it may be granted by, in this order. */
const GRANTS = ['authorization_code', 'refresh_token'];
const MOST_REDIRECTS = 20;
const LONGEST_NAME = 60;
/** A name and its host fit what a proposal says of who asked: 80 characters. */
const [LONGEST_SHORT_NAME, LONGEST_HOST] = [36, 40];

/** What a client without a secret gets where it doesn't say. */
export const publicClientDefaults = {
  application_type: 'native',
  grant_types: [...GRANTS],
  response_types: ['code'],
  token_endpoint_auth_method: 'none',
} as const;

/** Whether a client is anybody's program, which gets its tokens by authorization code: none of the home's own does. */
export function isPublicClient(client: Pick<Client, 'responseTypeAllowed'>): boolean {
  return client.responseTypeAllowed('code');
}

/** Whether a client's id is where it says who it is (CIMD). */
export function isDocumentId(clientId: string | undefined): boolean {
  return clientId !== undefined && /^https:\/\//i.test(clientId);
}

/**
 * Holds what a program says of itself to what it can be here, and takes out what it can't have (RFC 7591 §2 lets the
 * server): a program of a person's own, without a secret, that is answered at this person's machine, by https, or by an app.
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
  // At any port of this machine (RFC 8252 §7.3), which the library allows these alone; most don't say what they are.
  metadata.application_type = 'native';
  // What is registered would cap what may be asked for later, and some register half of it.
  delete metadata.scope;
  // Made where the registration didn't say that it wants none.
  delete metadata.client_secret;
  delete metadata.client_secret_expires_at;
  // Each of these has the provider fetch something, or do what nobody is to have here.
  delete metadata.sector_identifier_uri;
  delete metadata.jwks;
  delete metadata.jwks_uri;
  delete metadata.authorization_details_types;
  delete metadata.backchannel_token_delivery_mode;
  delete metadata.backchannel_client_notification_endpoint;
  delete metadata.default_acr_values;
  delete metadata.default_max_age;
  delete metadata.require_auth_time;
}

/** @param redirectUri where it is answered */
export function namedClient(
  { clientId, clientName }: Pick<Client, 'clientId' | 'clientName'>,
  redirectUri: string,
): NamedClient {
  const name = typeof clientName === 'string' ? safeLine(clientName, LONGEST_NAME) : '';
  const host = isDocumentId(clientId) ? new URL(clientId).host : answeredAt(redirectUri);
  return { name: name === '' ? 'A program without a name' : name, host };
}

/** Both on one line of printable ASCII, at most 80 characters: what orders that it asks for are marked with. */
export function oneLineName({ name, host }: NamedClient): string {
  const short = printableAscii(name, LONGEST_SHORT_NAME);
  // Whose a host is stands at its end.
  const end = host.length <= LONGEST_HOST ? host : `..${host.slice(2 - LONGEST_HOST)}`;
  return `${short} (${end})`;
}

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
