import { z } from 'zod';
import { TRADE_ORDER_TYPE } from '../trading/approval-details.ts';
import { boundedFetch, LONGEST_PROVIDER_ANSWER } from '../trading/bounded-fetch.ts';
import { TradeAgentError } from '../trading/errors.ts';
import { MESSAGE_SEND_TYPE } from '../trading/message-details.ts';
import type { ClientCredentials } from './client-authentication.ts';
import { type ClientKey, clientKeySchema, generateClientKey, registeredJwk } from './client-key.ts';
import type { CredentialStore } from './credential-store/credential-store.ts';
import { machineName } from './machine-name.ts';
import { MESSAGE_SCOPE, ORDER_SCOPE, type ResolvedProfile } from './profile.ts';
import { bindsTokens, PROVIDER_TIMEOUT_S, type ProviderAccess, providerMetadata } from './provider.ts';
import { providerError, providerFailure } from './provider-failure.ts';
import { dialectOf } from './providers/dialect-of.ts';

export const CIBA_GRANT = 'urn:openid:params:grant-type:ciba';

/** The approval client as this machine knows it. `client_id` is absent where the profile names the client. */
const approvalCredentialsSchema = z.object({
  issuer: z.string(),
  client_id: z.string().optional(),
  key: clientKeySchema,
  /** Made by "profile rotate-key"; takes the key's place once the provider knows it. */
  next_key: clientKeySchema.optional(),
});
export type StoredApprovalClient = z.output<typeof approvalCredentialsSchema>;

/**
 * The approval client's id and key. The key is made here; the id is the profile's own or comes by dynamic registration
 * (RFC 7591). Held under the cross-process lock, so that two processes don't register twice and lose one key.
 * @param forgotten a client id the provider no longer knows: another is registered, unless another process has done so
 * @throws {TradeAgentError} `provider_unreachable`, `provider_error`, `credential_store_…`
 */
export async function approvalCredentials(
  profile: ResolvedProfile,
  store: CredentialStore,
  access: ProviderAccess,
  forgotten?: string,
): Promise<ClientCredentials> {
  const { clientKey } = dialectOf(profile);
  const withKey = (clientId: string, key: ClientKey): ClientCredentials => ({
    clientId,
    authentication: 'private_key_jwt',
    key,
    sendsKeyId: clientKey.sendsId,
  });
  const usable = (text: string | undefined): ClientCredentials | undefined => {
    const kept = parseApprovalClient(text);
    if (kept === undefined || kept.issuer !== profile.issuer) return undefined;
    const clientId = kept.client_id;
    return clientId === undefined || clientId === forgotten ? undefined : withKey(clientId, kept.key);
  };

  if (forgotten === undefined) {
    const found = usable((await store.get(['approval_client'])).approval_client);
    if (found !== undefined) return found;
  }
  return await store.exclusively('approval-client', async () => {
    const found = usable((await store.get(['approval_client'], { fresh: true })).approval_client);
    if (found !== undefined) return found;
    const key = await generateClientKey(clientKey.kty);
    const clientId = await registerApprovalClient(profile, key, access);
    await store.set({
      approval_client: JSON.stringify({
        issuer: profile.issuer,
        client_id: clientId,
        key,
      }),
    });
    return withKey(clientId, key);
  });
}

/**
 * Registers an approval client with this key (RFC 7591) and returns its id.
 * @throws {TradeAgentError} `provider_unreachable`, `provider_error`
 */
export async function registerApprovalClient(
  profile: ResolvedProfile,
  key: ClientKey,
  access: ProviderAccess,
): Promise<string> {
  const jwk = await registeredJwk(key);
  const metadata = await providerMetadata(profile.issuer, access);
  if (metadata.registration_endpoint === undefined) {
    throw new TradeAgentError('provider_error', `${profile.issuer} lets no approval client register itself`);
  }
  const advertised = [ORDER_SCOPE, MESSAGE_SCOPE].filter((scope) =>
    metadata.scopes_supported?.includes(scope),
  );
  const messages = MESSAGE_SEND_TYPE;
  const known = metadata.authorization_details_types_supported;
  const knowsMessages = Array.isArray(known) && known.includes(messages);
  // oauth4webapi itself: openid-client's function would repeat the discovery.
  const oauth = await import('oauth4webapi');
  const send = boundedFetch(access.fetch ?? fetch, LONGEST_PROVIDER_ANSWER);
  try {
    const response = await oauth.dynamicClientRegistrationRequest(
      metadata,
      {
        client_name: `trade-agent on ${machineName()}`,
        grant_types: [CIBA_GRANT],
        response_types: [],
        redirect_uris: [],
        // Some providers refuse scopes they don't advertise (those of a resource server); the default then serves.
        ...(advertised.length > 0 ? { scope: ['openid', ...advertised].join(' ') } : {}),
        token_endpoint_auth_method: 'private_key_jwt',
        token_endpoint_auth_signing_alg: jwk.alg,
        jwks: { keys: [jwk] },
        backchannel_token_delivery_mode: 'poll',
        // A provider may refuse types that it doesn't know.
        authorization_details_types: [TRADE_ORDER_TYPE, ...(knowsMessages ? [messages] : [])],
        dpop_bound_access_tokens: bindsTokens(profile, metadata),
      },
      {
        [oauth.allowInsecureRequests]: new URL(profile.issuer).protocol === 'http:',
        signal: AbortSignal.timeout((access.timeoutSeconds ?? PROVIDER_TIMEOUT_S) * 1000),
        [oauth.customFetch]: (url: string, options: RequestInit) => send(url, options),
      },
    );
    return (await oauth.processDynamicClientRegistrationResponse(response)).client_id;
  } catch (error) {
    throw providerError(
      providerFailure(error),
      'the approval client could not be registered',
      profile.issuer,
    );
  }
}

/** The stored text as a client. @throws {TradeAgentError} `credential_store_unavailable` when it is damaged */
export function parseApprovalClient(text: string | undefined): StoredApprovalClient | undefined {
  if (text === undefined) return undefined;
  try {
    return approvalCredentialsSchema.parse(JSON.parse(text));
  } catch {
    throw new TradeAgentError('credential_store_unavailable', "the approval client's key is damaged", {
      hint: 'Run "trade-agent logout --all", then "trade-agent login".',
    });
  }
}
