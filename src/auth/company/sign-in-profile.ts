import type { ResolvedProfile } from '../../config/profile.ts';

/**
 * The profile as its sign-in sees it: where the person signs in by their company, that is the issuer, and the client is the
 * company's. Whatever sends a refresh token goes by this, so that one is only ever sent to whoever issued it.
 */
export function signInProfile(profile: ResolvedProfile): ResolvedProfile {
  const { company, provider: _, ...rest } = profile;
  if (company === undefined) return profile;
  return { ...rest, issuer: company.issuer, login_client: { client_id: company.client_id } };
}
