import { type ExitCode, exits } from '../../../app/exit-codes.ts';
import { type TestedCase, testPolicy } from '../../../app/policy/test-policy.ts';
import { safeLine } from '../../../text/shown-text.ts';
import type { Context } from '../../context.ts';

export async function printTests(context: Context, file: string): Promise<ExitCode> {
  const { policy, cases } = await testPolicy(context, file);
  const failed = cases.filter(({ ok }) => !ok);
  await context.output.result('policy-test', { ok: failed.length === 0, policy, cases }, () =>
    [
      ...failed.map(caseText),
      `${cases.length - failed.length} of ${cases.length} cases came out as they should.`,
    ].join('\n'),
  );
  return failed.length === 0 ? exits.done : exits.failed;
}

function caseText({ name, effect, reasons, expected }: TestedCase): string {
  const words = (what: { effect: string; reasons?: readonly string[] }) =>
    [what.effect, ...(what.reasons ?? [])].join(' ');
  return safeLine(`FAILED ${name}: expected ${words(expected)}, got ${words({ effect, reasons })}`);
}
