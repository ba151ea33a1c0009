import type { Clock } from '../../machine/clock.ts';
import type { MessageJournal, MessageLimit } from '../../store/message-journal.ts';
import { emptyCountedTotals } from '../../trading/counted-order.ts';
import { HttpProblem } from '../../trading/http-problem.ts';
import { type MessageDraft, toRecipientKey } from '../../trading/message.ts';
import { newYorkDate, newYorkInstant } from '../../trading/new-york-time.ts';
import type { Account } from '../../trading/views.ts';
import type { OpenAccountFor } from '../broker/accounts.ts';
import { evaluatePolicy, toDecisionProblem } from './decide.ts';
import type { DecisionSubject } from './decision.ts';
import { DEFAULT_DAY_MESSAGES } from './limit-table.ts';
import { toMessageOriginFacts } from './origin.ts';
import { toTokenFacts } from './parties.ts';
import { OTHER_ACCOUNTS_KEY, type RulesSource } from './rules.ts';

interface MessageRulesOptions {
  readonly rules: RulesSource;
  readonly journal: Pick<MessageJournal, 'countSince'>;
  readonly brokerFor: OpenAccountFor;
  readonly environment: 'paper' | 'live';
  readonly clock: Clock;
}

export interface MessageDecisionRequest {
  readonly subject: DecisionSubject;
  readonly draft: MessageDraft;
  /** Used only to read the owner's account number. */
  readonly accessToken: string;
}

/** Decides about messages, with the same code before approval is requested and when the message is sent. */
export type MessageRules = ReturnType<typeof createMessageRules>;

export function createMessageRules({ rules: source, journal, brokerFor, environment, clock }: MessageRulesOptions) {
  return {
    /**
     * Applies the limits of the owner's default account or, if it is unknown, those of the entry `*` in `limits.yaml`.
     * @returns the daily limit, which the claiming transaction applies again
     * @throws {HttpProblem} 403 `policy_denied`, or the broker's error
     */
    async requireAllowed({ subject, draft, accessToken }: MessageDecisionRequest): Promise<MessageLimit> {
      const who = { sub: subject.owner, accessToken };
      const account = (await findDefaultAccount(brokerFor, who)) ?? { account: OTHER_ACCOUNTS_KEY, environment };
      const now = clock.now();
      const since = messageDayStart(now);
      const [rules, sentToday] = await Promise.all([source.current(), journal.countSince(subject.owner, since)]);
      const decision = evaluatePolicy(rules, subject, 'send_message', {
        at: new Date(now).toISOString(),
        account: account.account,
        environment: account.environment,
        order: null,
        market: null,
        broker: null,
        holdings: null,
        message: { recipient: toRecipientKey(draft), sent_today: sentToday },
        counted: emptyCountedTotals,
        more: { ...toTokenFacts(subject), ...toMessageOriginFacts(subject.origin, draft) },
      });
      // If only the approval is missing and nobody was asked for it yet, the message passes: the approval comes next.
      const passes = decision.effect === 'allow' || (decision.effect === 'ask' && subject.approval === 'none');
      if (!passes) throw toDecisionProblem(decision);
      return { since, max: rules.limitsOf(account.account)?.max_day_messages ?? DEFAULT_DAY_MESSAGES };
    },
  };
}

/** Returns the start of the day whose messages are counted: midnight in New York, as for orders. */
export function messageDayStart(now: number): number {
  return newYorkInstant(newYorkDate(now), '00:00');
}

async function findDefaultAccount(
  brokerFor: OpenAccountFor,
  who: Parameters<OpenAccountFor>[0],
): Promise<Pick<Account, 'account' | 'environment'> | undefined> {
  try {
    return await (await brokerFor(who)).account();
  } catch (error) {
    if (error instanceof HttpProblem && error.code === 'account_not_connected') return undefined;
    throw error;
  }
}
