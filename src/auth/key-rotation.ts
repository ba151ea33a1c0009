import { randomUUID } from 'node:crypto';
import { TradeAgentError } from '../trading/errors.ts';
import {
  approvalCredentials,
  CIBA_GRANT,
  parseApprovalClient,
  registerApprovalClient,
  type StoredApprovalClient,
} from './approval-registration.ts';
import { clientAuth } from './client-authentication.ts';
import { type ClientKey, generateClientKey, type RegisteredJwk, registeredJwk } from './client-key.ts';
import type { CredentialStore } from './credential-store/credential-store.ts';
import { dpopHandle, generatePrivateJwk } from './dpop-key.ts';
import type { ResolvedProfile } from './profile.ts';
import { bindsTokens, clientConfiguration, type ProviderAccess } from './provider.ts';
import { providerError, providerFailure } from './provider-failure.ts';
import { dialectOf } from './providers/dialect-of.ts';

/**
 * What the provider answers when it has recognized the client and then found no such request: the client's key is
 * good, and nobody was asked anything.
 */
const RECOGNIZED = ['invalid_grant', 'expired_token', 'access_denied', 'authorization_pending'];

/**
 * The public key to enter at the provider for the profile's approval client, in use already. Made at first use.
 * @throws {TradeAgentError} `credential_store_…`
 */
export async function approvalPublicKey(
  profile: ResolvedProfile,
  store: CredentialStore,
): Promise<RegisteredJwk> {
  const credentials = await approvalCredentials(profile, store, {});
  if (credentials.authentication !== 'private_key_jwt') throw usesSecret(profile);
  return await registeredJwk(credentials.key);
}

/**
 * The approval client's next key, made here unless one already waits; the old one stays in use.
 * @throws {TradeAgentError} `credential_store_…`, `usage` for a client with a secret
 */
export async function prepareNextKey(
  profile: ResolvedProfile,
  store: CredentialStore,
): Promise<RegisteredJwk> {
  await approvalPublicKey(profile, store);
  return await store.exclusively('approval-client', async () => {
    const client = await readClient(profile, store);
    const next = client.next_key ?? (await generateClientKey(dialectOf(profile).clientKey.kty));
    await write(store, { ...client, next_key: next });
    return await registeredJwk(next);
  });
}

/**
 * Puts the next key in the old one's place, once the provider has recognized the client by it.
 * @throws {TradeAgentError} `not_found` when none waits, `provider_error` when the provider doesn't know it: the old
 *   key then stays in use
 */
export async function switchToNextKey(
  profile: ResolvedProfile & { readonly approval_client: { readonly client_id: string } },
  store: CredentialStore,
  access: ProviderAccess,
): Promise<RegisteredJwk> {
  return await store.exclusively('approval-client', async () => {
    const { next_key: next, ...client } = await readClient(profile, store);
    if (next === undefined) {
      throw new TradeAgentError('not_found', `profile "${profile.name}" has no new key to switch to`, {
        hint: `Make one with "trade-agent profile rotate-key ${profile.name}".`,
      });
    }
    await requireRecognized(profile, profile.approval_client.client_id, next, access);
    await write(store, { ...client, key: next });
    return await registeredJwk(next);
  });
}

/**
 * Registers another approval client with a new key (RFC 7591), and uses it from now on. The old client stays at the
 * provider without anyone who has its key.
 * @throws {TradeAgentError} `provider_unreachable`, `provider_error`: the old one then stays in use
 */
export async function registerAnew(
  profile: ResolvedProfile,
  store: CredentialStore,
  access: ProviderAccess,
): Promise<{ readonly clientId: string; readonly key: RegisteredJwk }> {
  return await store.exclusively('approval-client', async () => {
    const key = await generateClientKey(dialectOf(profile).clientKey.kty);
    const clientId = await registerApprovalClient(profile, key, access);
    await write(store, { issuer: profile.issuer, client_id: clientId, key });
    return { clientId, key: await registeredJwk(key) };
  });
}

/** @throws {TradeAgentError} `provider_error`, `provider_unreachable` */
async function requireRecognized(
  profile: ResolvedProfile,
  clientId: string,
  key: ClientKey,
  access: ProviderAccess,
): Promise<void> {
  const { genericGrantRequest } = await import('openid-client');
  const configuration = await clientConfiguration(
    profile,
    { client_id: clientId },
    await clientAuth({
      clientId,
      authentication: 'private_key_jwt',
      key,
      sendsKeyId: dialectOf(profile).clientKey.sendsId,
    }),
    access,
  );
  const what = 'the new key could not be tried';
  try {
    // Some providers look for a proof before they look for the request; nothing will be bound to this key.
    const DPoP = bindsTokens(profile, configuration.serverMetadata())
      ? await dpopHandle(configuration, await generatePrivateJwk())
      : undefined;
    await genericGrantRequest(
      configuration,
      CIBA_GRANT,
      { auth_req_id: `none-${randomUUID()}` },
      DPoP === undefined ? {} : { DPoP },
    );
  } catch (error) {
    const failure = providerFailure(error);
    if (failure.kind !== 'oauth') throw providerError(failure, what, profile.issuer);
    if (RECOGNIZED.includes(failure.error)) return;
    throw new TradeAgentError(
      'provider_error',
      `the identity provider does not take the new key for ${clientId} (${failure.error})`,
      {
        hint: 'Enter the public key there, wait until it is saved, then try again. The old key stays in use.',
        details: { error: failure.error },
      },
    );
  }
  // A token for a request that was never made.
  throw new TradeAgentError('provider_error', `${what}: the answer makes no sense`, {
    hint: `Check that ${profile.issuer} is the right identity provider.`,
  });
}

async function readClient(profile: ResolvedProfile, store: CredentialStore): Promise<StoredApprovalClient> {
  const { approval_client: text } = await store.get(['approval_client'], { fresh: true });
  const client = parseApprovalClient(text);
  if (client !== undefined && client.issuer === profile.issuer) return client;
  throw new TradeAgentError('not_found', `profile "${profile.name}" has no approval client's key yet`, {
    hint: `Run "trade-agent profile rotate-key ${profile.name}".`,
  });
}

async function write(store: CredentialStore, client: StoredApprovalClient): Promise<void> {
  await store.set({ approval_client: JSON.stringify(client) });
}

function usesSecret(profile: ResolvedProfile): TradeAgentError {
  return new TradeAgentError('usage', `the approval client of "${profile.name}" has a secret, not a key`, {
    hint: `Change it with "trade-agent profile set-secret ${profile.name}".`,
  });
}
