import { HttpProblem } from '../../trading/http-problem.ts';
import type { Order } from '../../trading/views.ts';
import type { CancellationResult, SubmissionResult } from './broker.ts';
import { type BrokerFailure, toReadProblem } from './broker-failure.ts';

/** Classifies an error that the broker's client threw. Never throws; an unknown error is `unreadable`. */
export type ClassifyError = (error: unknown) => BrokerFailure;

/** Sends requests to a broker, each only once. Errors of reads, orders and cancellations are handled differently. */
export interface BrokerRequests {
  /** Reads data from the broker. @throws {HttpProblem} the problems that all reads of a `Broker` may throw */
  read<T>(call: () => Promise<T>): Promise<T>;
  /** Like `read`, but returns undefined if the broker itself (not a proxy) responds with 404. */
  find<T>(call: () => Promise<T>): Promise<T | undefined>;
  /** Sends an order. Never throws. If a 2xx response is unreadable or about another order, the outcome is `unknown`. */
  submit(clientOrderId: string, call: () => Promise<Order>, failureOf?: ClassifyError): Promise<SubmissionResult>;
  /** Cancels an order. @throws {HttpProblem} if it is unknown whether the order is canceled */
  cancel(call: () => Promise<unknown>): Promise<CancellationResult>;
}

export function createBrokerRequests(failureOf: ClassifyError): BrokerRequests {
  const refusalOf = (error: unknown) => (error instanceof HttpProblem ? error : toReadProblem(failureOf(error), error));
  return {
    async read(call) {
      try {
        return await call();
      } catch (error) {
        throw refusalOf(error);
      }
    },
    async find(call) {
      try {
        return await call();
      } catch (error) {
        if (rejectionStatus(failureOf(error)) === 404) return undefined;
        throw refusalOf(error);
      }
    },
    async submit(clientOrderId, call, classify = failureOf) {
      let order: Order;
      try {
        order = await call();
      } catch (error) {
        return failedSubmission(classify(error));
      }
      return order.client_order_id === clientOrderId ? { outcome: 'accepted', order } : { outcome: 'unknown' };
    },
    async cancel(call) {
      try {
        await call();
        return 'requested';
      } catch (error) {
        const status = rejectionStatus(failureOf(error));
        if (status === 404) return 'not_found';
        if (status === 409 || status === 422) return 'not_cancelable';
        throw refusalOf(error);
      }
    },
  };
}

function failedSubmission(failure: BrokerFailure): SubmissionResult {
  switch (failure.kind) {
    case 'refused': {
      const { status, reason, message, brokerCode } = failure;
      // A broker that failed (5xx) or did not receive the whole request (408) can't know the outcome.
      if (status >= 500 || status === 408) return { outcome: 'unknown' };
      return { outcome: 'refused', reason, message, brokerCode };
    }
    case 'rate_limited':
    case 'unauthorized':
      return { outcome: 'not_taken', reason: failure.kind };
    default:
      return { outcome: 'unknown' };
  }
}

/** Returns the HTTP status with which the broker itself rejected the request; undefined for any other failure. */
function rejectionStatus(failure: BrokerFailure): number | undefined {
  return failure.kind === 'refused' ? failure.status : undefined;
}
