import type { ResolvedProfile } from '../../config/profile.ts';

/**
 * Returns the profile to sign in with. For a company sign-in, the issuer and the client are the company's. All code
 * that sends a refresh token uses this profile, so that the token goes only to its issuer.
 */
export function signInProfile(profile: ResolvedProfile): ResolvedProfile {
  const { company, provider: _, ...rest } = profile;
  if (company === undefined) return profile;
  return { ...rest, issuer: company.issuer, login_client: { client_id: company.client_id } };
}
