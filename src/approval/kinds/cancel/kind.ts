import { formatShares } from '../../../trading/amounts.ts';
import { Dec } from '../../../trading/decimal.ts';
import { HttpProblem } from '../../../trading/http-problem.ts';
import { type CancelRequest, type CancelSubject, cancel } from '../../../trading/kinds/cancel.ts';
import { describeOpenOrder } from '../../../trading/open-order.ts';
import { fillableLegs, hasEnded } from '../../../trading/order-legs.ts';
import { type Account, isFinalStatus, type Order } from '../../../trading/views.ts';
import type { Approval, Kind, Proposer } from '../../kind.ts';
import { toDisplayedAccount, toExecution } from '../execution.ts';

/** The gateway's cancellation service. All methods throw only `HttpProblem`s. */
export interface CancelPorts {
  /** Returns the order, its account, and whether it protects a position. @throws {HttpProblem} 404 `not_found` */
  openOrder(
    proposer: Proposer,
    account: string | undefined,
    id: string,
  ): Promise<{
    order: Order;
    account: Account;
    /** The broker's display name; undefined if there is only one broker. */
    broker?: string;
    protects: boolean;
  }>;
  /** Cancels the order. A repeated call returns the same order. @throws {HttpProblem} 409 `not_cancelable` */
  cancel(subject: CancelSubject, owner: Pick<Approval, 'sub' | 'accessToken'>): Promise<Order>;
}

/**
 * Returns the kind of proposal that cancels an order. A cancellation needs approval if the order protects a position,
 * or if the requester may have been tricked into the cancellation.
 */
export function cancelKind(ports: CancelPorts): Kind<CancelRequest, CancelSubject, Order> {
  return {
    ...cancel,
    async complete({ account: named, order_id }, { proposer, subjectId, expiresAt }) {
      const { order, account, broker, protects } = await ports.openOrder(proposer, named, order_id);
      if (isFinalStatus(order.status)) {
        throw new HttpProblem(
          409,
          'not_cancelable',
          `the order is ${order.status} and can no longer be canceled`,
          hasEnded(order) ? {} : { hint: legsHint(order) },
        );
      }
      const subject: CancelSubject = {
        account: account.account,
        environment: account.environment,
        order,
        protects,
        client_cancel_id: subjectId,
        expires_at: expiresAt,
      };
      return {
        subject,
        subjectId,
        worstCase: { cash: null, price: null, text: lossText(subject) },
        warnings: protects ? ['Without this order, the position is no longer protected.'] : [],
        shows: toDisplayedAccount({ account, broker }),
      };
    },
    describe: ({ order }) => `CANCEL ${describeOpenOrder(order)}`,
    expiresAt: ({ expires_at }) => expires_at,
    fingerprint: ({ order }) => order.id,
    execute: (subject, approved) => toExecution(() => ports.cancel(subject, approved)),
    // Canceling is idempotent, so it is simply requested again.
    settle: (subject, { sub, accessToken }) => toExecution(() => ports.cancel(subject, { sub, accessToken })),
    resultText: ({ status, filled_qty }) =>
      status === 'canceled' && new Dec(filled_qty).isZero()
        ? 'canceled'
        : `${status.replaceAll('_', ' ')}, ${formatShares(filled_qty)} filled`,
  };
}

function legsHint(order: Order): string {
  const ids = fillableLegs(order).map(({ id }) => id);
  return `Its legs are still open. Cancel ${ids.join(' or ')}; the other leg is canceled with it.`;
}

function lossText({ order, protects }: CancelSubject): string {
  const { symbol } = order;
  return protects
    ? `Nothing is traded. The order will no longer limit the losses or lock in the gains of your ${symbol} position.`
    : 'Nothing is traded.';
}
