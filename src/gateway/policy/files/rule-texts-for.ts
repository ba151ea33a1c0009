import { basename } from 'node:path';
import { loadCedar } from '../cedar/cedar-engine.ts';
import { type RuleText, readRules } from '../cedar/rule-text.ts';
import type { Rules } from '../rules.ts';
import { accountOfRule } from './next-rules.ts';
import type { ReadRules } from './rules-source.ts';

type Files = Readonly<Record<string, string>>;

/** The owner's and firm's rule files without the rules that name another account. None if the rules are wrong. */
export async function ruleTextsFor(
  rules: Rules,
  account: string,
): Promise<{ readonly policies: Files; readonly firm: Files }> {
  const { texts } = (rules as Partial<ReadRules>).written ?? { texts: [] };
  const engine =
    texts.length === 0 || rules.problem !== undefined ? undefined : await loadCedar().catch(() => undefined);
  if (engine === undefined) return { policies: {}, firm: {} };
  const own = texts.flatMap((text): RuleText[] => {
    const all = readRules(engine, [text]);
    const left = all.filter(({ form }) => [undefined, account].includes(accountOfRule(form)));
    if (left.length === all.length) return [text];
    return left.length === 0 ? [] : [{ ...text, text: left.map((rule) => `${rule.text}\n`).join('\n') }];
  });
  const files = (origin: RuleText['origin']) =>
    Object.fromEntries(
      own.filter((text) => text.origin === origin).map(({ file, text }) => [basename(file), text]),
    );
  return { policies: files('policies'), firm: files('firm') };
}
