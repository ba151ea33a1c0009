import { type AccessToken, isUsable, parseAccessToken } from '../../auth/session/access-token.ts';
import { generatePrivateJwk, type PrivateJwk, parsePrivateJwk } from '../../auth/session/dpop-key.ts';
import { newSession, parseStoredSession, type StoredSession } from '../../auth/session/stored-session.ts';
import { covers } from '../../auth/session/token-refresh.ts';
import type { ResolvedProfile } from '../../config/profile.ts';
import type { Caller } from '../../gateway/door/caller.ts';
import type { Clock } from '../../machine/clock.ts';
import type { CredentialStore, ServedName } from '../../secrets/credential-store.ts';

/** One person's secrets at a server, sealed. */
export type PersonCredentials = CredentialStore<ServedName>;

/** What a request brought, as a token that can be exchanged. */
export function broughtBy({ sub, scopes, expiresAt, jkt }: Caller, token: string): AccessToken {
  return { value: token, type: jkt === undefined ? 'bearer' : 'dpop', scopes: [...scopes], expiresAt, sub };
}

/**
 * What was brought serves nearly to its end, milliseconds: it is exchanged at once. Whoever watches a run brings another before that
 * (`http/run-events.ts`), so that no run finds its person away who is there.
 */
export const EXCHANGED_WITHIN_MS = 2_000;

/** What is kept of a person between a request of theirs and the runs that follow. */
export interface KeptSession {
  readonly session: StoredSession | undefined;
  /** What their last request brought, while it lasts. */
  readonly subject: AccessToken | undefined;
  /** The same, as it is kept. */
  readonly subjectText: string | undefined;
  /** Of the grant for when they are away. */
  readonly hasGrant: boolean;
}

export async function keptSession(
  store: PersonCredentials,
  profile: ResolvedProfile,
  clock: Clock,
): Promise<KeptSession> {
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
 * The key of this person's tokens, the same for all machines: one of its own for each, so that what leaks of one opens nothing
 * of another's.
 */
export async function keyOf(store: PersonCredentials): Promise<PrivateJwk> {
  for (;;) {
    const { dpop_key: kept } = await store.get(['dpop_key'], { fresh: true });
    if (kept !== undefined) return parsePrivateJwk(kept);
    const made = await generatePrivateJwk();
    // Where another process was first, its key is the one.
    if (await store.set({ dpop_key: JSON.stringify(made) }, { dpop_key: undefined })) return made;
  }
}

/**
 * Keeps what a request brought, unless something is there that does as much: a request for reading must not take the place of the
 * one that a run was started by, nor stand in its way. Of two that do the same the one that lasts longer is kept; of two sign-ins the
 * later one says when the person was last there.
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
