import { isTradeAgentError } from '../../errors/errors.ts';
import { toProblemCode } from '../../errors/problem-codes.ts';
import { HttpProblem } from '../../trading/http-problem.ts';
import type { Account } from '../../trading/views.ts';
import { defined } from '../../values/defined.ts';
import type { Execution, Proposer } from '../kind.ts';

/** Codes of a service's refusals after which the work can be tried again, because nothing was done. */
const NOT_ACCEPTED_CODES: readonly string[] = ['account_not_connected', 'broker_busy', 'service_busy', 'closing'];

/**
 * Classifies the outcome of a service's work. A service answers `outcome_unknown` if the work may have been accepted.
 * All its other refusals are definite, except that work refused with a status of 500 or more may be retried.
 */
export async function toExecution<Result>(work: () => Promise<Result>): Promise<Execution<Result>> {
  try {
    return { outcome: 'executed', result: await work() };
  } catch (error) {
    if (!(error instanceof HttpProblem)) {
      // An unexpected error, so nobody knows how far the work had got.
      return {
        outcome: 'unknown',
        text: 'an unexpected error occurred in the gateway while it was carried out',
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

/** Converts an error of the vocabulary's checks to the gateway's refusal. Rethrows any other error. */
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
 * @throws {HttpProblem} like access to the account
 */
export type FindBrokerName = (proposer: Proposer, account: string) => Promise<string | undefined>;

/** Returns the account and its broker for the phone; empty if there is only one broker. */
export function displayedAccount({
  broker,
  account,
}: {
  readonly broker?: string | undefined;
  readonly account: Pick<Account, 'account'>;
}): Readonly<Record<string, string>> {
  return broker === undefined ? {} : { Account: `${account.account} at ${broker}` };
}
