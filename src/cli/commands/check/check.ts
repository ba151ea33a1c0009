import type { CheckOptions } from '../../../app/check/run-check.ts';
import { exitCodeForChecks, exitCodes, runExitCodes } from '../../../app/exit-codes.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import { createChoiceOption } from '../../options/choice.ts';
import { approvalOption } from '../run/run.ts';
import type { CheckFormat } from './check-view.ts';

export function addCheckCommand(program: CliCommand): void {
  program
    .command('check')
    .summary('check your portfolio against rules')
    .description(
      'Check your portfolio against rules and report what is new since the last check. With --suggest, also propose orders that bring it back to its targets; each needs your approval, like every order.',
    )
    .option('--rules <file>', 'a YAML file of rules (default: built-in rules)')
    .option('--report <file>', 'write the full result to a self-contained HTML file')
    .addOption(
      createChoiceOption('--format <format>', 'the format of --output text', ['text', 'markdown']).default('text'),
    )
    .option('--suggest', 'propose orders that restore the targets, and conditional orders that are due')
    .option('--buy-only', 'do not suggest sales')
    .addOption(approvalOption())
    .examples(
      ['trade-agent check', 'the default rules'],
      ['trade-agent check --rules rules.yaml --report report.html', 'your rules, and a page with charts'],
      ['trade-agent check --rules rules.yaml --suggest --approval detach', 'requests approval but does not wait'],
      ['trade-agent check --rules rules.yaml --suggest --approval deny', 'shows what it would propose'],
      ['trade-agent check --account all', 'each of your accounts separately'],
      ['trade-agent check --output json | jq -r ".findings[].message"', 'for scripts'],
    )
    .exits(...runExitCodes, exitCodes.found)
    .runs(async (context, { format, ...options }: CheckOptions & { format: CheckFormat }) => {
      const { runChecks } = await import('../../../app/check/run-check.ts');
      const { createCheckView, printCheckFollowUps } = await import('./check-view.ts');
      const { reported, ...listener } = createCheckView(context, format);
      const outcomes = await runChecks(context, options, listener, reported);
      printCheckFollowUps(context, outcomes);
      return exitCodeForChecks(outcomes, context.signal);
    });
}
