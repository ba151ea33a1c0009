import type { OAuthClient } from './oauth-client.ts';

/** Whose server it is, and what may be asked for there. */
export interface Party {
  readonly label: string;
  readonly scopes: readonly string[];
}

const parameterNames = [
  'response_type',
  'client_id',
  'redirect_uri',
  'scope',
  'state',
  'code_challenge',
  'code_challenge_method',
] as const;
type Parameters = Partial<Record<(typeof parameterNames)[number], string>>;

/** Where an answer goes. */
export interface WayBack {
  redirect_uri: string;
  state: string | undefined;
}

export interface AuthorizationRequest extends WayBack {
  client: OAuthClient;
  scopes: string[];
  code_challenge: string;
  /** As they came, to be sent along with the form. */
  parameters: Record<string, string>;
}

/**
 * Reads a request for authorization (RFC 6749, 4.1.1; RFC 7636, 4.3).
 * @returns `refusal`: the client can't be trusted with an answer; `error`: it gets this one
 */
export function readAuthorizationRequest(
  given: Parameters,
  clients: readonly OAuthClient[],
  party: Party,
): AuthorizationRequest | { refusal: string } | (WayBack & { error: string }) {
  const client = clients.find((known) => known.client_id === given.client_id);
  if (client === undefined) return { refusal: `${party.label} does not know this client.` };
  const redirect_uri = given.redirect_uri ?? '';
  if (!client.redirect_uris.includes(redirect_uri)) {
    return { refusal: 'The redirect URI is not one this client has registered.' };
  }
  const { state, code_challenge = '' } = given;
  const back = { redirect_uri, state };
  if (given.response_type !== 'code') return { error: 'unsupported_response_type', ...back };
  if (given.code_challenge_method !== 'S256' || !/^[A-Za-z0-9_-]{43}$/.test(code_challenge)) {
    return { error: 'invalid_request', ...back };
  }
  const scopes = (given.scope ?? '').split(' ').filter((scope) => scope !== '');
  if (scopes.length === 0 || scopes.some((scope) => !party.scopes.includes(scope))) {
    return { error: 'invalid_scope', ...back };
  }
  const parameters = Object.fromEntries(
    parameterNames.flatMap((name) => (given[name] === undefined ? [] : [[name, given[name]]])),
  );
  return { client, ...back, scopes, code_challenge, parameters };
}
