import { Refusal } from '../../trading/refusal.ts';
import type { Order } from '../../trading/views.ts';
import type { Cancellation, Submission } from './broker.ts';
import { type BrokerFailure, readRefusal } from './broker-failure.ts';

/** What an error of the broker's client is. Never throws; what it doesn't know is `unreadable`. */
export type FailureOf = (error: unknown) => BrokerFailure;

/** The four ways to ask a broker for something, each one request, with what a failure of it comes to. */
export interface BrokerRequests {
  /** @throws {Refusal} as every read of a `Broker` */
  read<T>(call: () => Promise<T>): Promise<T>;
  /** As `read`; `undefined` where the broker says in its own words that it has no such thing (404). */
  find<T>(call: () => Promise<T>): Promise<T | undefined>;
  /**
   * Makes an order. Never throws: a 2xx whose body makes no sense, or is about another order, is no proof of this one,
   * which is looked up instead.
   * @param failureOf where this request's failures are told otherwise than the others'
   */
  submit(clientOrderId: string, call: () => Promise<Order>, failureOf?: FailureOf): Promise<Submission>;
  /** @throws {Refusal} where it is not known whether the order is cancelled */
  cancel(call: () => Promise<unknown>): Promise<Cancellation>;
}

export function brokerRequests(failureOf: FailureOf): BrokerRequests {
  const refusalOf = (error: unknown) =>
    error instanceof Refusal ? error : readRefusal(failureOf(error), error);
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
        if (refusedWith(failureOf(error)) === 404) return undefined;
        throw refusalOf(error);
      }
    },
    async submit(clientOrderId, call, tell = failureOf) {
      let order: Order;
      try {
        order = await call();
      } catch (error) {
        return failedSubmission(tell(error));
      }
      return order.client_order_id === clientOrderId
        ? { outcome: 'accepted', order }
        : { outcome: 'unknown' };
    },
    async cancel(call) {
      try {
        await call();
        return 'requested';
      } catch (error) {
        const status = refusedWith(failureOf(error));
        if (status === 404) return 'not_found';
        if (status === 409 || status === 422) return 'not_cancelable';
        throw refusalOf(error);
      }
    },
  };
}

function failedSubmission(failure: BrokerFailure): Submission {
  switch (failure.kind) {
    case 'refused': {
      const { status, reason, message, brokerCode } = failure;
      // A broker that could not finish, or that did not get all of it, can't know, whatever its words.
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

/** The status of a no in the broker's own words. */
function refusedWith(failure: BrokerFailure): number | undefined {
  return failure.kind === 'refused' ? failure.status : undefined;
}
