import { basename } from 'node:path';
import type { Proposer } from '../../approval/kind.ts';
import type { OrderJournal } from '../../store/order-journal.ts';
import type { PolicyView } from '../../trading/policy-views.ts';
import type { Broker } from '../broker/broker.ts';
import { loadCedar } from './cedar/cedar-engine.ts';
import { type RuleText, readRules } from './cedar/rule-text.ts';
import { accountOfRule } from './change/next-rules.ts';
import type { Rules, RulesSource } from './rules.ts';
import type { ReadRules } from './rules-source.ts';

export interface PolicyViewOptions {
  readonly rules: RulesSource;
  readonly brokerFor: (who: Pick<Proposer, 'sub' | 'accessToken'>) => Promise<Pick<Broker, 'account'>>;
  readonly journal: Pick<OrderJournal, 'usage'>;
  readonly now: () => number;
}

/** The rules that a person's account is held to, and what it has used up. Other accounts' are nobody else's business. */
export function policyView({ rules: source, brokerFor, journal, now }: PolicyViewOptions) {
  return async (who: Pick<Proposer, 'sub' | 'accessToken'>): Promise<PolicyView> => {
    const { account, environment } = await (await brokerFor(who)).account();
    const rules = await source.current();
    const { state, ...usage } = await journal.usage(who.sub, account, now());
    const texts = await textsFor(rules, account);
    return {
      ...{ account, environment, state, usage },
      digest: rules.digest,
      limits: rules.limitsOf(account) ?? null,
      policies: filesOf(texts, 'policies'),
      firm: filesOf(texts, 'firm'),
      // What is wrong with them may name what is another's, and where the folder is.
      ...(rules.problem === undefined ? {} : { problem: 'the rules at the gateway are wrong' }),
    };
  };
}

/** But for the rules that name another account in their head. */
async function textsFor(rules: Rules, account: string): Promise<readonly RuleText[]> {
  const { texts } = (rules as Partial<ReadRules>).written ?? { texts: [] };
  if (texts.length === 0 || rules.problem !== undefined) return [];
  const engine = await loadCedar().catch(() => undefined);
  if (engine === undefined) return [];
  return texts.flatMap((text) => {
    const all = readRules(engine, [text]);
    const own = all.filter(({ form }) => [undefined, account].includes(accountOfRule(form)));
    if (own.length === all.length) return [text];
    return own.length === 0 ? [] : [{ ...text, text: own.map((rule) => `${rule.text}\n`).join('\n') }];
  });
}

function filesOf(texts: readonly RuleText[], origin: RuleText['origin']): Record<string, string> {
  return Object.fromEntries(
    texts.filter((text) => text.origin === origin).map(({ file, text }) => [basename(file), text]),
  );
}
