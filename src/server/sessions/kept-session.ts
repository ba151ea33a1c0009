import { type AccessToken, isUsable, parseAccessToken } from '../../auth/session/access-token.ts';
import { generatePrivateJwk, type PrivateJwk, parsePrivateJwk } from '../../auth/session/dpop-key.ts';
import { newSession, parseStoredSession, type StoredSession } from '../../auth/session/stored-session.ts';
import { covers } from '../../auth/session/token-refresh.ts';
import type { ResolvedProfile } from '../../config/profile.ts';
import type { Caller } from '../../gateway/door/caller.ts';
import type { Clock } from '../../machine/clock.ts';
import type { CredentialStore, ServedName } from '../../secrets/credential-store.ts';

/** A person's sealed secrets at a server. */
export type PersonCredentials = CredentialStore<ServedName>;

/** A request's token, as one that can be exchanged. */
export function broughtBy({ sub, scopes, expiresAt, jkt }: Caller, token: string): AccessToken {
  return { value: token, type: jkt === undefined ? 'bearer' : 'dpop', scopes: [...scopes], expiresAt, sub };
}

/**
 * A stored token is used nearly to its end, since it is exchanged at once. A run's watcher brings another before that
 * (`http/run-routes.ts`), so that no run loses a person who is present.
 */
export const EXCHANGED_WITHIN_MS = 2_000;

/**
 * A person's data between a request and the runs that follow: with the last request's token as `subject` while it is valid,
 * and `hasGrant` for an offline grant.
 */
export async function keptSession(store: PersonCredentials, profile: ResolvedProfile, clock: Clock) {
  const held = await store.get(['session', 'subject_token', 'refresh_token'], { fresh: true });
  const subject = parseAccessToken(held.subject_token);
  return {
    session: parseStoredSession(held.session, profile),
    subject: isUsable(subject, clock, EXCHANGED_WITHIN_MS) ? subject : undefined,
    subjectText: held.subject_token,
    hasGrant: held.refresh_token !== undefined,
  };
}

/**
 * The DPoP key of this person's tokens, shared by all machines: one per person, so that a leaked key exposes nobody
 * else.
 */
export async function keyOf(store: PersonCredentials): Promise<PrivateJwk> {
  for (;;) {
    const { dpop_key: kept } = await store.get(['dpop_key'], { fresh: true });
    if (kept !== undefined) return parsePrivateJwk(kept);
    const made = await generatePrivateJwk();
    // If another process was first, its key is used.
    if (await store.set({ dpop_key: JSON.stringify(made) }, { dpop_key: undefined })) return made;
  }
}

/**
 * Stores a request's token unless the stored one is as good: a read-only request must not replace or block the token
 * that a run was started with. Of two equivalent tokens the longer-lived stays; of two sign-ins the later one tells
 * when the person was last present.
 */
export async function keepBrought(
  store: PersonCredentials,
  brought: AccessToken,
  caller: Caller,
  { profile, clock }: { readonly profile: ResolvedProfile; readonly clock: Clock },
): Promise<void> {
  for (;;) {
    const held = await store.get(['session', 'subject_token'], { fresh: true });
    const before = parseAccessToken(held.subject_token);
    const isBetter =
      !isUsable(before, clock) ||
      (covers(brought, before.scopes) &&
        (!covers(before, brought.scopes) || brought.expiresAt > before.expiresAt));
    const session = laterSession(parseStoredSession(held.session, profile), callerSession(profile, caller));
    const text = JSON.stringify(session);
    if (!isBetter && text === held.session) return;
    const values = { session: text, ...(isBetter ? { subject_token: JSON.stringify(brought) } : {}) };
    if (await store.set(values, held)) return;
  }
}

function callerSession(profile: ResolvedProfile, caller: Caller): StoredSession {
  const { sub, username, email, scopes, authTime } = caller;
  const claims = { sub, username, email, name: undefined, authReqId: undefined };
  return { ...newSession(profile, claims, [...scopes]), signed_in_at: authTime };
}

function laterSession(kept: StoredSession | undefined, come: StoredSession): StoredSession {
  if (kept === undefined) return come;
  const isSameOrLater = (kept.signed_in_at ?? 0) >= (come.signed_in_at ?? 0);
  return isSameOrLater ? kept : come;
}
