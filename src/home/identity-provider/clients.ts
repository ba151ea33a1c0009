import { setTimeout as sleep } from 'node:timers/promises';
import { type AllClientMetadata, errors } from 'oidc-provider';
import { detailsTypeByKind } from '../../approval/details.ts';
import { isLoopbackUrl } from '../../net/secure-url.ts';
import { tracedFetch } from '../../net/trace-context.ts';
import { CIBA_GRANT, DEVICE_GRANT, TOKEN_EXCHANGE_GRANT } from '../../oauth/oauth-names.ts';
import { ALL_SCOPES, APPROVAL_SCOPES, IDENTITY_SCOPES, MCP_SCOPES } from '../../oauth/scopes.ts';
import { EXTRA_MCP_SCOPES } from './authorization/authorization-request.ts';
import { isOneOf, LOGIN_CLIENT_ID } from './protocol/protocol.ts';

export const approvalDetailsTypes: readonly string[] = Object.values(detailsTypeByKind);

export const loginClientMetadata: AllClientMetadata & { client_id: string } = {
  client_id: LOGIN_CLIENT_ID,
  client_name: 'trade-agent',
  application_type: 'native',
  token_endpoint_auth_method: 'none',
  grant_types: [DEVICE_GRANT, 'refresh_token'],
  response_types: [],
  redirect_uris: [],
  scope: IDENTITY_SCOPES.join(' '),
  dpop_bound_access_tokens: true,
  authorization_details_types: [],
};

export interface GatewayClient {
  readonly client_id: string;
  readonly jwks: { readonly keys: readonly object[] };
}

/** Returns the metadata of the gateway's client, which requests approvals (CIBA with ping) and exchanges tokens. */
export function gatewayClientMetadata(
  client: GatewayClient,
  resource: string,
): AllClientMetadata & { client_id: string } {
  return {
    client_id: client.client_id,
    client_name: 'order gateway',
    token_endpoint_auth_method: 'private_key_jwt',
    grant_types: [TOKEN_EXCHANGE_GRANT, CIBA_GRANT],
    response_types: [],
    redirect_uris: [],
    jwks: {
      keys: client.jwks.keys.map((key) => ({ ...key })) as NonNullable<AllClientMetadata['jwks']>['keys'],
    },
    backchannel_token_delivery_mode: 'ping',
    backchannel_client_notification_endpoint: gatewayPingEndpoint(resource),
    authorization_details_types: [...approvalDetailsTypes],
  };
}

/**
 * Pauses in milliseconds before each retry of a failed ping. A retry may succeed if the gateway or its database was
 * down only briefly. The retries end long before an approval expires.
 */
const PING_RETRY_DELAYS_MS = [1_000, 2_000, 4_000];

/** Creates a function that sends CIBA pings (CIBA Core §10.2). A lost ping only causes a delay: clients also poll. */
export function createPingSender(options: {
  resource: string;
  /** A `fetch` that can reach the gateway, even on this machine. */
  fetch: typeof fetch;
  /** A `fetch` that can't reach this machine or its network. */
  publicFetch: typeof fetch;
  timeoutMs: number;
}): typeof fetch {
  const own = pingUrl(options.resource);
  const sendOwn = tracedFetch(options.fetch);
  return async (url, init) => {
    const { method, headers, body } = init ?? {};
    const send = async () => {
      const ping: RequestInit = {
        method: method ?? 'POST',
        headers: headers ?? {},
        body: body ?? null,
        redirect: 'manual',
        signal: AbortSignal.timeout(options.timeoutMs),
      };
      return String(url) === toHttps(own) ? sendOwn(own, ping) : options.publicFetch(String(url), ping);
    };
    void sendWithRetries(send);
    return new Response(null, { status: 204 });
  };
}

/** Retries while the response status is 500 or above. Retrying after any other error would not help. */
async function sendWithRetries(send: () => Promise<Response>): Promise<void> {
  for (const pause of [...PING_RETRY_DELAYS_MS, undefined]) {
    const answer = await send().catch(() => undefined);
    await answer?.body?.cancel().catch(() => undefined);
    if (pause === undefined || (answer !== undefined && answer.status < 500)) return;
    await sleep(pause, undefined, { ref: false });
  }
}

export function gatewayPingEndpoint(resource: string): string {
  return toHttps(pingUrl(resource));
}

function pingUrl(resource: string): string {
  return `${resource}/ciba/ping`;
}

/** Replaces http with https, because the library accepts only https, even for the sandbox's gateway on loopback. */
function toHttps(url: string): string {
  return isLoopbackUrl(new URL(url)) ? url.replace(/^http:/, 'https:') : url;
}

/** Checks that a client registered by a person (RFC 7591) is a confidential CIBA client with its own key. */
export function checkApprovalClient(metadata: AllClientMetadata): void {
  const refuse = (reason: string) => {
    throw new errors.InvalidClientMetadata(reason);
  };
  if (String(metadata.grant_types) !== CIBA_GRANT) refuse(`grant_types must be ["${CIBA_GRANT}"]`);
  if (metadata.token_endpoint_auth_method !== 'private_key_jwt') {
    refuse('token_endpoint_auth_method must be private_key_jwt');
  }
  if (metadata.jwks === undefined || metadata.jwks_uri !== undefined) refuse('the public key must be given in jwks');
  if ((metadata.response_types ?? []).length > 0) refuse('response_types must be empty');
  if ((metadata.redirect_uris ?? []).length > 0) refuse('redirect_uris must be empty');
  if (metadata.client_name !== undefined && !/^[\x20-\x7e]{1,80}$/.test(String(metadata.client_name))) {
    refuse('client_name must be 1 to 80 printable ASCII characters');
  }
  const scopes = String(metadata.scope ?? '')
    .split(' ')
    .filter(Boolean);
  if (scopes.some((scope) => !isOneOf(ALL_SCOPES, scope))) refuse('scope must contain only scopes_supported');
  // Removed because the library knows only its own scopes. Each request is limited to one approval scope in any case.
  delete metadata.scope;
}

/** Returns the scopes of a registered client, which replace those that it requested (RFC 7591 §3.2.1). */
export function registeredScopes({ grant_types = [] }: Pick<AllClientMetadata, 'grant_types'>): string {
  const scopes = grant_types.includes(CIBA_GRANT)
    ? ['openid', ...APPROVAL_SCOPES]
    : [...EXTRA_MCP_SCOPES, ...MCP_SCOPES];
  return scopes.join(' ');
}
