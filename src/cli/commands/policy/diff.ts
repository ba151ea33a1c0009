import { type ExitCode, exits } from '../../../app/exit-codes.ts';
import { diffPolicy, type PolicyDiff } from '../../../app/policy/diff-policy.ts';
import { safeLine } from '../../../text/shown-text.ts';
import type { Context } from '../../context.ts';

export async function printDiff(context: Context, file: string, replay: boolean): Promise<ExitCode> {
  const diff = await diffPolicy(context, file, { replay });
  await context.output.result('policy-diff', { ...diff }, () => diffText(diff));
  return diff.flips.length > 0 ? exits.found : exits.done;
}

function diffText({ changes, tighter, replayed, flips }: PolicyDiff): string {
  const head =
    changes.length === 0
      ? ['The rules are the same.']
      : [
          `It would be ${tighter ? 'tighter: it takes no tap' : 'looser: it takes your tap'}.`,
          ...changes.map(indented),
        ];
  if (replayed === null) return head.join('\n');
  const tail =
    flips.length === 0
      ? [`Of ${replayed} past orders none would be decided otherwise.`]
      : [
          `Of ${replayed} past orders ${flips.length} would be decided otherwise:`,
          ...flips.map(({ at, order, before, after, reasons }) =>
            indented(`${at}  ${order}: ${before} → ${after} (${reasons.join(', ')})`),
          ),
        ];
  return [...head, ...tail].join('\n');
}

function indented(line: string): string {
  return `  ${safeLine(line)}`;
}
