import type { ResolvedProfile } from '../../config/profile.ts';
import { TradeAgentError } from '../../errors/errors.ts';
import { loginRequiredError } from '../../errors/login-required.ts';
import type { Clock } from '../../machine/clock.ts';
import type { CredentialStore } from '../../secrets/credential-store.ts';
import { parseStoredSession } from './stored-session.ts';

/** Maximum age, in seconds, of the sign-in at a session's first live order. */
const MAX_LIVE_LOGIN_AGE_S = 900;

/**
 * Requires a fresh sign-in for a session's first live order. A session that has been open for weeks shows only that
 * someone signed in on this machine in the past, and does not identify the current user.
 * @param signedInAt when the person signed in, in seconds since the epoch (default: as stored in the session)
 * @throws {TradeAgentError} `login_required`
 */
export async function requireFreshLogin(
  profile: ResolvedProfile,
  store: CredentialStore,
  clock: Clock,
  signedInAt?: number,
): Promise<void> {
  if (profile.environment !== 'live') return;
  const { session: text } = await store.get(['session'], { fresh: true });
  const session = parseStoredSession(text, profile);
  if (session === undefined) throw loginRequiredError();
  const isKept = signedInAt === undefined || signedInAt === session.signed_in_at;
  if (isKept && session.live === true) return;
  const longest = profile.live_login_max_age ?? MAX_LIVE_LOGIN_AGE_S;
  const age = clock.now() / 1000 - (signedInAt ?? session.signed_in_at ?? Number.NEGATIVE_INFINITY);
  // A sign-in time in the future means that the clock was set back, so the time proves nothing.
  if (age > longest || age < -60) {
    throw new TradeAgentError('login_required', "a session's first live order needs a fresh sign-in", {
      hint: `Run "trade-agent login --profile ${profile.name}", then try again within ${Math.floor(longest / 60)} minutes.`,
    });
  }
  if (isKept) await store.set({ session: JSON.stringify({ ...session, live: true }) }, { session: text });
}
