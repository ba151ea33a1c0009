import { HttpProblem } from '../../trading/http-problem.ts';
import type { CancelSubject } from '../../trading/kinds/cancel.ts';
import { type Account, isFinalStatus, type Order } from '../../trading/views.ts';
import { defined } from '../../values/defined.ts';
import type { Broker } from '../broker/broker.ts';

/**
 * Cancels the order whose cancellation its owner approved. Idempotent. If the broker's response is lost, reads the
 * order to find out whether it was canceled.
 * @returns the order after the cancellation; its status is `pending_cancel` if the broker accepted the cancellation but
 * the order can't be read
 * @throws {HttpProblem} 403 `account_mismatch`; 404 `not_found`; 409 `not_cancelable`; the broker's errors (502, 503,
 * 504), after which the call may be repeated
 */
export async function cancelApprovedOrder(
  { account, environment, order: { id } }: CancelSubject,
  broker: Broker,
): Promise<Order> {
  const [held, order] = await Promise.all([broker.account(), broker.order(id)]);
  requireApprovedAccount(held, { account, environment });
  if (order === undefined) throw orderNotFoundProblem();
  if (isCancelled(order)) return order;
  requireOpen(order);
  const answer = await broker.cancel(id).catch((error: unknown) => resolveLostAnswer(error, broker, id));
  if (typeof answer === 'object') return answer;
  if (answer === 'not_found') throw orderNotFoundProblem();
  if (answer === 'not_cancelable') {
    const after = await broker.order(id);
    if (after !== undefined && isCancelled(after)) return after;
    throw notCancelableProblem(after?.status);
  }
  const after = await tryReadOrder(broker, id);
  if (after === undefined) return { ...order, status: 'pending_cancel' };
  // The broker accepted the cancellation, but the order may have been filled first.
  requireOpen(after);
  return after;
}

/** Requires that the account is the approved one. @throws {HttpProblem} 403 `account_mismatch` */
export function requireApprovedAccount(
  held: Pick<Account, 'account' | 'environment'>,
  approved: Pick<Account, 'account' | 'environment'>,
): void {
  if (held.account === approved.account && held.environment === approved.environment) return;
  throw new HttpProblem(403, 'account_mismatch', 'the approved account does not belong to this user', {
    fields: ['account'],
    challenge: { error: 'insufficient_authorization_details', scopes: ['orders:write'] },
  });
}

/** Reads the order after a lost response. @throws the broker's original error if the order is not canceled */
async function resolveLostAnswer(error: unknown, broker: Broker, id: string): Promise<Order> {
  const after = error instanceof HttpProblem ? await tryReadOrder(broker, id) : undefined;
  if (after !== undefined && isCancelled(after)) return after;
  throw error;
}

async function tryReadOrder(broker: Broker, id: string): Promise<Order | undefined> {
  try {
    return await broker.order(id);
  } catch (error) {
    if (!(error instanceof HttpProblem)) throw error;
    return undefined;
  }
}

function isCancelled({ status }: Order): boolean {
  return status === 'canceled' || status === 'pending_cancel';
}

function requireOpen({ status }: Order): void {
  if (isFinalStatus(status) && status !== 'canceled') throw notCancelableProblem(status);
}

export function notCancelableProblem(status?: Order['status']): HttpProblem {
  return new HttpProblem(409, 'not_cancelable', 'the order can no longer be canceled', {
    hint: 'Check its status: it was filled, canceled or has expired.',
    ...(status === undefined ? {} : { members: { status } }),
  });
}

export function orderNotFoundProblem(members?: Record<string, unknown>): HttpProblem {
  return new HttpProblem(404, 'not_found', 'this account has no such order', defined({ members }));
}
