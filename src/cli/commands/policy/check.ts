import { type ExitCode, exits } from '../../../app/exit-codes.ts';
import { checkPolicy } from '../../../app/policy/check-policy.ts';
import { safeLine } from '../../../text/shown-text.ts';
import { describeOrder } from '../../../trading/order.ts';
import type { DecisionView } from '../../../trading/policy-views.ts';
import type { Context } from '../../context.ts';

export async function printCheck(context: Context, sentence: string): Promise<ExitCode> {
  const { order, decision } = await checkPolicy(context, sentence);
  await context.output.result('policy-check', { order, ...decision }, () =>
    [`${describeOrder(order)}: ${effectWords[decision.effect]}`, ...reasonLines(decision)].join('\n'),
  );
  return decision.effect === 'deny' ? exits.blocked : exits.done;
}

const effectWords = {
  allow: 'allowed, without a tap',
  ask: 'allowed, once your phone approves',
  deny: 'REFUSED',
} as const;

function reasonLines({ effect, reasons, texts, hint }: DecisionView): string[] {
  if (effect !== 'deny') return [];
  const lines = reasons.map((reason, index) => `  ${safeLine(reason)}: ${safeLine(texts[index] ?? '')}`);
  return hint === undefined ? lines : [...lines, `  ${safeLine(hint)}`];
}
