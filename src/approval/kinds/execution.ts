import { isTradeAgentError } from '../../errors/errors.ts';
import { toProblemCode } from '../../errors/problem-codes.ts';
import { HttpProblem } from '../../trading/http-problem.ts';
import type { Account } from '../../trading/views.ts';
import { defined } from '../../values/defined.ts';
import type { ExecutionOutcome, Proposer } from '../kind.ts';

/** Error codes after which a service call may be retried, because the service did nothing. */
const NOT_ACCEPTED_CODES: readonly string[] = ['account_not_connected', 'broker_busy', 'service_busy', 'closing'];

/**
 * Runs a service call and classifies its outcome. `outcome_unknown` means that the service may have accepted the call.
 * Any other {@link HttpProblem} means that the service did not accept the call. After a status of 500 or more, or one
 * of the `NOT_ACCEPTED_CODES`, the call may be retried.
 */
export async function toExecution<Result>(work: () => Promise<Result>): Promise<ExecutionOutcome<Result>> {
  try {
    return { outcome: 'executed', result: await work() };
  } catch (error) {
    if (!(error instanceof HttpProblem)) {
      // An unexpected error does not show how far the call got.
      return {
        outcome: 'unknown',
        text: 'an unexpected error occurred in the gateway while the proposal was carried out',
      };
    }
    if (error.code === 'outcome_unknown') {
      const final = error.options.members?.final === true;
      return { outcome: 'unknown', text: error.message, ...(final ? { final } : {}) };
    }
    const later = error.status >= 500 || NOT_ACCEPTED_CODES.includes(error.code);
    return { outcome: later ? 'not_taken' : 'refused', refusal: error };
  }
}

/** Converts a validation's `TradeAgentError` to an {@link HttpProblem} with status 400. Rethrows any other error. */
export function toHttpProblem(error: unknown): HttpProblem {
  if (!isTradeAgentError(error)) throw error;
  const { field } = error.details;
  return new HttpProblem(400, toProblemCode(error), error.message, {
    ...defined({ hint: error.hint }),
    ...(typeof field === 'string' ? { fields: [field] } : {}),
  });
}

/**
 * Returns the display name of an account's broker; undefined if there can be only one broker.
 * @throws {HttpProblem} if the account can't be accessed
 */
export type FindBrokerName = (proposer: Proposer, account: string) => Promise<string | undefined>;

/** Returns the account and its broker for the phone; empty if there is only one broker. */
export function toDisplayedAccount({
  broker,
  account,
}: {
  readonly broker?: string | undefined;
  readonly account: Pick<Account, 'account'>;
}): Readonly<Record<string, string>> {
  return broker === undefined ? {} : { Account: `${account.account} at ${broker}` };
}
