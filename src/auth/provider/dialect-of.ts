import type { ServerMetadata } from 'openid-client';
import type { ProviderName } from '../../config/provider-names.ts';
import { auth0 } from './auth0.ts';
import type { Dialect } from './dialect.ts';
import { keycloak } from './keycloak.ts';
import { standard } from './standard.ts';

const dialects: Record<ProviderName, Dialect> = { standard, auth0, keycloak };

/** The dialect a profile names; the standards' own where it names none. */
export function dialectOf(profile: { readonly provider?: ProviderName | undefined }): Dialect {
  return dialects[profile.provider ?? 'standard'];
}

/** Whose metadata this is; `standard` unless it is plainly another's. */
export function detectProvider(metadata: ServerMetadata): ProviderName {
  return [auth0, keycloak].find((dialect) => dialect.recognizes(metadata))?.name ?? 'standard';
}
