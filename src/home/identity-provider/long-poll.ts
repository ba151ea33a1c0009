import type { ServerResponse } from 'node:http';
import { type AdapterPayload, errors } from 'oidc-provider';
import type { Clock } from '../../machine/clock.ts';
import type { Faults } from '../faults.ts';
import type { ApprovalRequests } from './approval-requests.ts';
import { LONG_POLL_MS } from './protocol.ts';

/** The part of the provider's request context that matters here. */
export interface PollContext {
  readonly oidc: { readonly route?: string; readonly client?: { readonly clientId: string } | undefined };
  readonly res: ServerResponse;
}

/**
 * Holds a client's CIBA poll until the person has decided, the request expires, or 25 seconds pass (CIBA Core §10.1.1,
 * long polling). Called when the token endpoint reads the request, that is after it knows the client; the provider
 * then answers by what it reads.
 * @throws {errors.SlowDown} where that fault is on
 * @throws {errors.AuthorizationPending} when the client has gone: a token must not be issued to nobody
 */
export async function holdPoll(
  authReqId: string,
  payload: AdapterPayload,
  options: {
    context: PollContext | undefined;
    requests: ApprovalRequests;
    faults: Faults;
    clock: Clock;
    closing: AbortSignal;
  },
): Promise<void> {
  const { context, clock } = options;
  if (context?.oidc.route !== 'token' || context.oidc.client?.clientId !== payload.clientId) return;
  if (options.faults.take('slow_down')) throw new errors.SlowDown();
  const decided = payload.grantId !== undefined || payload.error !== undefined;
  const left = (payload.exp ?? 0) * 1000 - clock.now();
  if (decided || left <= 0) return;

  const wake = new AbortController();
  const unsubscribe = options.requests.onDelivered(authReqId, () => wake.abort());
  const onClose = () => wake.abort();
  context.res.once('close', onClose);
  try {
    await clock.sleep(Math.min(LONG_POLL_MS, left), AbortSignal.any([wake.signal, options.closing]));
  } catch {
    // Decided, gone or closing: told apart below and by what the provider reads next.
  } finally {
    unsubscribe();
    context.res.off('close', onClose);
  }
  if (context.res.destroyed || context.res.closed) throw new errors.AuthorizationPending();
}
