import { z } from 'zod';
import type { ResolvedProfile } from '../../config/profile.ts';
import type { CredentialStore } from '../../secrets/credential-store.ts';
import { defined } from '../../values/defined.ts';
import { parseJson } from '../../values/parse-json.ts';
import type { IdTokenClaims } from '../provider/id-token.ts';
import type { User } from './session.ts';

/**
 * The signed-in user and their provider. Includes the issuer and the client so that a refresh token is sent only to the
 * provider that issued it, even after the profile was changed to another provider.
 */
const storedSessionSchema = z.object({
  issuer: z.string(),
  client_id: z.string(),
  sub: z.string().min(1),
  name: z.string().optional(),
  email: z.string().optional(),
  /** `preferred_username`, by which some providers identify the person to ask on the phone. */
  username: z.string().optional(),
  /** When the person last signed in on this machine, in seconds since the epoch. */
  signed_in_at: z.number().optional(),
  /** Set when the session first requests a live order. That first request requires a fresh sign-in. */
  live: z.boolean().optional(),
  /**
   * Set if the person signed in through their company: their subject at the company (`sub`), and the client's ID at the
   * home (`client_there`). The outer `sub` is always the user's subject at the home.
   */
  company: z.object({ sub: z.string().min(1), client_there: z.string().min(1) }).optional(),
  scopes: z.array(z.string()),
});
export type StoredSession = z.output<typeof storedSessionSchema>;

export function createStoredSession(
  profile: ResolvedProfile,
  { sub, name, email, username }: IdTokenClaims,
  scopes: readonly string[],
): StoredSession {
  return {
    issuer: profile.issuer,
    client_id: profile.login_client.client_id,
    sub,
    ...defined({ name, email, username }),
    scopes: [...scopes],
  };
}

/** Parses a stored session. Returns undefined if it doesn't belong to the profile's provider and client. */
export function parseStoredSession(text: string | undefined, profile: ResolvedProfile): StoredSession | undefined {
  const session = storedSessionSchema.safeParse(parseJson(text)).data;
  return session?.issuer === profile.issuer && session.client_id === profile.login_client.client_id
    ? session
    : undefined;
}

export function sessionUser(session: StoredSession): User {
  return { sub: session.sub, name: session.name, email: session.email };
}

/**
 * Returns the profile's signed-in user from the credential store; undefined if nobody is signed in. Sends no requests.
 */
export async function readSignedInUser(profile: ResolvedProfile, store: CredentialStore): Promise<User | undefined> {
  const { session, refresh_token } = await store.get(['session', 'refresh_token']);
  const stored = parseStoredSession(session, profile);
  return stored === undefined || refresh_token === undefined ? undefined : sessionUser(stored);
}
