import type { ServerMetadata } from 'openid-client';
import type { ResolvedProfile } from '../../config/profile.ts';
import { type ProviderName, providerNames } from '../../config/provider-names.ts';
import { auth0Dialect } from './auth0.ts';
import type { ProviderDialect } from './dialect.ts';
import { keycloakDialect } from './keycloak.ts';
import { standardDialect } from './standard.ts';

const dialects: Readonly<Record<ProviderName, ProviderDialect>> = {
  standard: standardDialect,
  auth0: auth0Dialect,
  keycloak: keycloakDialect,
};

/** Returns the dialect of the profile's provider, or the standard dialect if the profile names no provider. */
export function providerDialect(profile: { readonly provider?: ProviderName | undefined }): ProviderDialect {
  return dialects[profile.provider ?? 'standard'];
}

/**
 * Guesses the provider from its metadata. Returns `standard` unless the metadata clearly belongs to another provider.
 */
export function detectProvider(metadata: ServerMetadata): ProviderName {
  const others = providerNames.filter((name) => name !== 'standard');
  return others.find((name) => dialects[name].recognizes(metadata)) ?? 'standard';
}

export function capApprovalTtl(profile: ResolvedProfile): ResolvedProfile {
  return {
    ...profile,
    approval_ttl: Math.min(profile.approval_ttl, providerDialect(profile).maxApprovalTtl),
  };
}
