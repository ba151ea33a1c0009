import type { CheckOptions } from '../../../app/check/run-check.ts';
import { exitCodeForChecks, exits, runExits } from '../../../app/exit-codes.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import { choiceOption } from '../../options/choice.ts';
import { approvalOption } from '../run/run.ts';
import type { CheckFormat } from './check-view.ts';

export function addCheckCommand(program: CliCommand): void {
  program
    .command('check')
    .summary('look at the portfolio by rules')
    .description(
      'Looks at the portfolio by rules and tells what is new since the last check. With --suggest it also proposes the orders that bring it back to its targets; each waits for your approval, as every order does.',
    )
    .option('--rules <file>', 'a YAML file of rules (default: the usual ones)')
    .option('--report <file>', 'write the whole result to an HTML file that stands alone')
    .addOption(
      choiceOption('--format <format>', 'how --output text reads', ['text', 'markdown']).default('text'),
    )
    .option('--suggest', 'propose orders: back to the targets, and conditional ones whose time has come')
    .option('--buy-only', 'suggest no sales')
    .addOption(approvalOption())
    .examples(
      ['trade-agent check', 'the default rules'],
      ['trade-agent check --rules rules.yaml --report report.html', 'your rules, and a page with charts'],
      ['trade-agent check --rules rules.yaml --suggest --approval detach', 'asks, and does not wait'],
      ['trade-agent check --rules rules.yaml --suggest --approval deny', 'shows what it would propose'],
      ['trade-agent check --account all', 'each of your accounts by itself'],
      ['trade-agent check --output json | jq -r ".findings[].message"', 'for scripts'],
    )
    .exits(...runExits, exits.found)
    .runs(async (context, { format, ...options }: CheckOptions & { format: CheckFormat }) => {
      const { runChecks } = await import('../../../app/check/run-check.ts');
      const { checkView, sayWhatIsLeft } = await import('./check-view.ts');
      const { told, ...listener } = checkView(context, format);
      const outcomes = await runChecks(context, options, listener, told);
      sayWhatIsLeft(context, outcomes);
      return exitCodeForChecks(outcomes, context.signal);
    });
}
