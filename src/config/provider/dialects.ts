import type { ServerMetadata } from 'openid-client';
import { auth0 } from './auth0.ts';
import type { Dialect } from './dialect.ts';
import { keycloak } from './keycloak.ts';
import { standard } from './standard.ts';

/** The identity providers this program knows more of than the standards say, by the names a profile gives them. */
const dialects = { standard, auth0, keycloak } satisfies Record<string, Dialect>;

export type ProviderName = keyof typeof dialects;
export const providerNames = Object.keys(dialects) as [ProviderName, ...ProviderName[]];

/** The dialect a profile names; the standards' own where it names none. */
export function dialectOf(profile: { readonly provider?: ProviderName | undefined }): Dialect {
  return dialects[profile.provider ?? 'standard'];
}

/** Whose metadata this is; `standard` unless it is plainly another's. */
export function detectProvider(metadata: ServerMetadata): ProviderName {
  const others = providerNames.filter((name) => name !== 'standard');
  return others.find((name) => dialects[name].recognizes(metadata)) ?? 'standard';
}
