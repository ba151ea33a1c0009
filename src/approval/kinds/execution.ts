import { isTradeAgentError } from '../../errors/errors.ts';
import { problemCodeOf } from '../../errors/problem-codes.ts';
import { Refusal } from '../../trading/refusal.ts';
import type { Account } from '../../trading/views.ts';
import { defined } from '../../values/defined.ts';
import type { Execution, Proposer } from '../kind.ts';

/** A desk's refusals that say the thing is certainly not carried out now, and may be tried again. */
const NOT_TAKEN: readonly string[] = ['account_not_connected', 'broker_busy', 'service_busy', 'closing'];

/**
 * What a desk's work came to, told apart. A desk says `outcome_unknown` wherever something may have been taken; every
 * other refusal of its own is a definite no, those with a status of 500 and more only for now.
 */
export async function executionOf<Result>(work: () => Promise<Result>): Promise<Execution<Result>> {
  try {
    return { outcome: 'executed', result: await work() };
  } catch (error) {
    if (!(error instanceof Refusal)) {
      // Nobody foresaw it, so nobody knows how far it had come.
      return { outcome: 'unknown', text: 'something went wrong in the gateway while it was carried out' };
    }
    if (error.code === 'outcome_unknown') {
      const final = error.options.members?.final === true;
      return { outcome: 'unknown', text: error.message, ...(final ? { final } : {}) };
    }
    const later = error.status >= 500 || NOT_TAKEN.includes(error.code);
    return { outcome: later ? 'not_taken' : 'refused', refusal: error };
  }
}

/** What is wrong with a request, by the vocabulary's own check of it, as the gateway says it. Anything else is thrown on. */
export function refusalOf(error: unknown): Refusal {
  if (!isTradeAgentError(error)) throw error;
  const { field } = error.details;
  return new Refusal(400, problemCodeOf(error), error.message, {
    ...defined({ hint: error.hint }),
    ...(typeof field === 'string' ? { fields: [field] } : {}),
  });
}

/** At which broker an account is, as people call it; undefined where a person can have but one. @throws {Refusal} as opening it */
export type BrokerOf = (proposer: Proposer, account: string) => Promise<string | undefined>;

/** Which account it is, and at which broker, where a person can have several. */
export function accountShown({
  broker,
  account,
}: {
  readonly broker?: string | undefined;
  readonly account: Pick<Account, 'account'>;
}): Readonly<Record<string, string>> {
  return broker === undefined ? {} : { Account: `${account.account} at ${broker}` };
}
