import type { TokenEndpointResponse } from 'openid-client';
import { differingFields } from '../trading/approval-details.ts';
import type { Clock } from '../trading/clock.ts';
import { isTradeAgentError } from '../trading/errors.ts';
import type { ApprovalDetails } from '../trading/message-details.ts';
import type { ApprovalConnection } from './approval-client.ts';
import { CIBA_GRANT } from './approval-registration.ts';
import type { PollResult } from './ciba.ts';
import { verifyIdToken } from './id-token.ts';
import { endOf } from './lifetime.ts';
import { inProviderTime } from './provider.ts';
import { type ProviderFailure, providerFailure } from './provider-failure.ts';

/** Seconds a token without `expires_in` is taken to last. */
const UNKNOWN_LIFETIME_S = 60;

export interface ApprovalPoll {
  readonly via: ApprovalConnection;
  readonly authReqId: string;
  /** What was asked for, where it is known. */
  readonly details: ApprovalDetails | undefined;
  /** The request's own deadline, where it is known. Milliseconds since the epoch. */
  readonly expiresAt: number | undefined;
  readonly clock: Clock;
  readonly fetch: typeof fetch | undefined;
  readonly timeoutSeconds: number;
  readonly signal: AbortSignal;
  /** Called as the request goes out; again where the provider wants it once more with a nonce. */
  readonly onSend: (() => void) | undefined;
}

/**
 * One poll of the token endpoint (CIBA Core §10.1), every answer told apart.
 * @throws the reason of `signal` when it aborts, and nothing else
 */
export async function pollApproval(poll: ApprovalPoll): Promise<PollResult> {
  const { via, signal, timeoutSeconds } = poll;
  const send = poll.fetch ?? fetch;
  try {
    const { genericGrantRequest } = await import('openid-client');
    const ask = async () => {
      const configuration = await via.configure({
        timeoutSeconds,
        fetch: (url, init) => {
          const both = init?.signal ? AbortSignal.any([init.signal, signal]) : signal;
          const sent = send(url, { ...init, signal: both });
          // Afterwards: the process may have stood still before it, and the interval counts from the send.
          poll.onSend?.();
          return sent;
        },
      });
      return await genericGrantRequest(
        configuration,
        CIBA_GRANT,
        { auth_req_id: poll.authReqId },
        via.bound ? { DPoP: await via.proofs(configuration) } : {},
      );
    };
    return await judge(poll, await inProviderTime(via.issuer, ask));
  } catch (error) {
    signal.throwIfAborted();
    return refusal(poll, providerFailure(error));
  }
}

/** The token, if it is what was asked for, for this user and this key; else a failure, and the token is dropped. */
async function judge(poll: ApprovalPoll, answer: TokenEndpointResponse): Promise<PollResult> {
  const { via, clock } = poll;
  const failed = (error: string): PollResult => ({ status: 'failed', error });
  if (via.bound && answer.token_type !== 'dpop') return failed('token_not_bound');
  const approved = answer.authorization_details;
  if (approved !== undefined && poll.details !== undefined && !isWhatWasAsked(approved, poll.details)) {
    return failed('authorization_details_mismatch');
  }
  if (answer.id_token !== undefined) {
    try {
      const claims = await verifyIdToken(answer.id_token, {
        metadata: via.metadata,
        clientId: via.clientId,
        clock,
        fetch: poll.fetch,
      });
      if (claims.sub !== via.sub) return failed('approved_by_another_user');
      if (claims.authReqId !== undefined && claims.authReqId !== poll.authReqId)
        return failed('invalid_id_token');
    } catch (error) {
      // What can't be checked is not bad. The request is used up, so the person has to be asked again.
      if (isTradeAgentError(error) && error.code === 'provider_unreachable') return { status: 'lost' };
      return failed('invalid_id_token');
    }
  }
  return {
    status: 'approved',
    accessToken: answer.access_token,
    expiresAt: endOf(clock.now(), answer.expires_in ?? UNKNOWN_LIFETIME_S),
  };
}

function isWhatWasAsked(approved: unknown, asked: ApprovalDetails): boolean {
  if (!Array.isArray(approved) || approved.length !== 1) return false;
  const [details] = approved as unknown[];
  return (
    typeof details === 'object' &&
    details !== null &&
    differingFields(details as Record<string, unknown>, asked).length === 0
  );
}

function refusal(poll: ApprovalPoll, failure: ProviderFailure): PollResult {
  if (failure.kind === 'unreachable') {
    const { reason, retryAfter } = failure;
    return { status: 'unreachable', reason, ...(retryAfter === undefined ? {} : { retryAfter }) };
  }
  if (failure.kind === 'invalid') {
    // An error that is none of OAuth's is somebody else's answer: a proxy's, or a firewall's.
    return failure.status !== undefined && failure.status >= 400
      ? { status: 'unreachable', reason: failure.reason }
      : { status: 'failed', error: 'invalid_response' };
  }
  switch (failure.error) {
    case 'authorization_pending':
      return { status: 'pending' };
    case 'slow_down':
      return { status: 'slow_down' };
    case 'access_denied':
      // Some providers (Auth0) say the same for a request nobody answered: the deadline tells them apart.
      return {
        status: poll.expiresAt !== undefined && poll.clock.now() >= poll.expiresAt ? 'expired' : 'denied',
      };
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
      return { status: 'failed', error: failure.error };
  }
}
