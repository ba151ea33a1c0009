import { z } from 'zod';
import type { ResolvedProfile } from '../../config/profile.ts';
import type { CredentialStore } from '../../secrets/credential-store.ts';
import { defined } from '../../values/defined.ts';
import { parseJson } from '../../values/parse-json.ts';
import type { IdTokenClaims } from '../provider/id-token.ts';
import type { User } from './session.ts';

/**
 * Who is signed in, and where. Issuer and client are part of it: a refresh token is only ever sent to the provider
 * that issued it, also after the profile was pointed at another one.
 */
const storedSessionSchema = z.object({
  issuer: z.string(),
  client_id: z.string(),
  sub: z.string().min(1),
  name: z.string().optional(),
  email: z.string().optional(),
  /** `preferred_username`: what some providers know the person by when they are asked on the phone. */
  username: z.string().optional(),
  /** When the person last signed in, on this machine: seconds since the epoch. */
  signed_in_at: z.number().optional(),
  /** Set by the session's first live order: the sign-in was fresh then. */
  live: z.boolean().optional(),
  /**
   * Of a sign-in at the person's company: whom that knows them as, and how the home knows its client. `sub` is the home's
   * user there, as everywhere.
   */
  company: z.object({ sub: z.string().min(1), client_there: z.string().min(1) }).optional(),
  scopes: z.array(z.string()),
});
export type StoredSession = z.output<typeof storedSessionSchema>;

/** A session as it begins: whose it is, by the ID token. */
export function newSession(
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

/** The stored text as a session of this very profile, else `undefined`. */
export function parseStoredSession(
  text: string | undefined,
  profile: ResolvedProfile,
): StoredSession | undefined {
  const session = storedSessionSchema.safeParse(parseJson(text)).data;
  return session?.issuer === profile.issuer && session.client_id === profile.login_client.client_id
    ? session
    : undefined;
}

export function userOf(session: StoredSession): User {
  return { sub: session.sub, name: session.name, email: session.email };
}

/** Who is signed in under this profile, by what is stored here; asks nobody. `undefined`: nobody. */
export async function storedUser(
  profile: ResolvedProfile,
  store: CredentialStore,
): Promise<User | undefined> {
  const { session, refresh_token } = await store.get(['session', 'refresh_token']);
  const stored = parseStoredSession(session, profile);
  return stored === undefined || refresh_token === undefined ? undefined : userOf(stored);
}
