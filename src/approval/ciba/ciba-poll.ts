import type { TokenEndpointResponse } from 'openid-client';
import { verifyIdToken } from '../../auth/provider/id-token.ts';
import { endOf } from '../../auth/provider/lifetime.ts';
import { inProviderTime } from '../../auth/provider/provider.ts';
import { type ProviderFailure, providerFailure } from '../../auth/provider/provider-failure.ts';
import { isTradeAgentError } from '../../errors/errors.ts';
import type { Clock } from '../../machine/clock.ts';
import { CIBA_GRANT } from '../../oauth/oauth-names.ts';
import { differingFields } from '../../trading/approval-details.ts';
import { defined } from '../../values/defined.ts';
import type { PollResult, Question } from '../asking-port.ts';
import type { CibaClient } from './ciba-client.ts';

/** Seconds a token without `expires_in` is taken to last. */
const UNKNOWN_LIFETIME_S = 60;

export interface CibaPoll {
  readonly client: CibaClient;
  readonly issuer: string;
  readonly authReqId: string;
  /** What was asked for. */
  readonly expected: {
    readonly sub: string;
    readonly details: Question['details'];
    /** The request's own deadline, milliseconds since the epoch. */
    readonly expiresAt: number;
  };
  /** `message`: the token carries no details, so that the ID token alone says which request it answers. */
  readonly details: 'rar' | 'message';
  readonly clock: Clock;
  readonly fetch: typeof fetch | undefined;
  readonly timeoutSeconds: number;
  readonly signal: AbortSignal;
  readonly onSend: (() => void) | undefined;
}

/**
 * One poll of the token endpoint (CIBA Core §10.1), every answer told apart.
 * @throws the reason of `signal` when it aborts, and nothing else
 */
export async function pollOnce(poll: CibaPoll): Promise<PollResult> {
  const { client, signal, timeoutSeconds } = poll;
  const send = poll.fetch ?? fetch;
  try {
    const { genericGrantRequest } = await import('openid-client');
    const answer = await inProviderTime(poll.issuer, async () => {
      const configuration = await client.configure({
        timeoutSeconds,
        fetch: (url, init) => {
          const both = init?.signal ? AbortSignal.any([init.signal, signal]) : signal;
          const sent = send(url, { ...init, signal: both });
          // Afterwards: the process may have stood still before it, and the interval counts from the send.
          poll.onSend?.();
          return sent;
        },
      });
      return await genericGrantRequest(configuration, CIBA_GRANT, { auth_req_id: poll.authReqId });
    });
    return await judge(poll, answer);
  } catch (error) {
    signal.throwIfAborted();
    return refusal(poll, providerFailure(error));
  }
}

/** The token, if it is what was asked for, from this person; else a failure, and the token is dropped. */
async function judge(poll: CibaPoll, answer: TokenEndpointResponse): Promise<PollResult> {
  const { clock } = poll;
  if (!isWhatWasAsked(poll, answer.authorization_details)) return failed('authorization_details_mismatch');
  const doubt = await doubtfulIdToken(poll, answer.id_token);
  if (doubt !== undefined) return doubt;
  return {
    status: 'approved',
    accessToken: answer.access_token,
    expiresAt: endOf(clock.now(), answer.expires_in ?? UNKNOWN_LIFETIME_S),
  };
}

/** CIBA Core §10.1.1 and OpenID Connect Core §3.1.3.7; undefined where nothing speaks against it. */
async function doubtfulIdToken(
  { client, authReqId, expected, details, clock, fetch }: CibaPoll,
  idToken: string | undefined,
): Promise<PollResult | undefined> {
  // Where the access token carries the details, it is by itself enough.
  if (idToken === undefined) return details === 'message' ? failed('id_token_missing') : undefined;
  const { metadata, clientId } = client;
  try {
    const claims = await verifyIdToken(idToken, { metadata, clientId, clock, fetch });
    if (claims.sub !== expected.sub) return failed('approved_by_another_user');
    if (claims.authReqId !== undefined && claims.authReqId !== authReqId) return failed('invalid_id_token');
    return undefined;
  } catch (error) {
    // What can't be checked is not bad. The request is used up, so the person has to be asked again.
    if (isTradeAgentError(error) && error.code === 'provider_unreachable') return { status: 'lost' };
    return failed('invalid_id_token');
  }
}

/** A token response need not repeat the details (the gateway reads them in the token); what it does say must be right. */
function isWhatWasAsked({ details, expected }: CibaPoll, approved: unknown): boolean {
  if (approved === undefined) return true;
  if (!Array.isArray(approved)) return false;
  if (details === 'message' && approved.length === 0) return true;
  if (approved.length !== 1) return false;
  const [only] = approved as unknown[];
  return (
    typeof only === 'object' &&
    only !== null &&
    differingFields(only as Record<string, unknown>, expected.details).length === 0
  );
}

function refusal(poll: CibaPoll, failure: ProviderFailure): PollResult {
  if (failure.kind === 'unreachable') {
    const { reason, retryAfter } = failure;
    return { status: 'unreachable', reason, ...defined({ retryAfter }) };
  }
  if (failure.kind === 'invalid') {
    // An error that is none of OAuth's is somebody else's answer: a proxy's, or a firewall's.
    return failure.status !== undefined && failure.status >= 400
      ? { status: 'unreachable', reason: failure.reason }
      : failed('invalid_response');
  }
  switch (failure.error) {
    case 'authorization_pending':
      return { status: 'pending' };
    case 'slow_down':
      return { status: 'slow_down' };
    case 'access_denied':
      // Some providers (Auth0) say the same for a request nobody answered: the deadline tells them apart.
      return { status: poll.clock.now() >= poll.expected.expiresAt ? 'expired' : 'denied' };
    case 'expired_token':
      return { status: 'expired' };
    // Redeemed already, or asked for by a client the provider has since forgotten.
    case 'invalid_grant':
    case 'invalid_client':
      return { status: 'lost' };
    case 'server_error':
    case 'temporarily_unavailable':
      return { status: 'unreachable', reason: `it answered ${failure.error}` };
    default:
      return failed(failure.error);
  }
}

function failed(error: string): PollResult {
  return { status: 'failed', error };
}
