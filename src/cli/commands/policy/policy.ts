import { askingExits, exits, sessionExits } from '../../../app/exit-codes.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import { parseLimit } from '../../options/choice.ts';
import { approvalOption } from '../run/run.ts';
import type { LogOptions, SetOptions } from './show.ts';

export function addPolicyCommand(program: CliCommand): void {
  const policy = program
    .command('policy')
    .summary('the rules that your orders are held to')
    .description(
      'Shows the rules that your orders are held to at the gateway, tries them out, and changes them. What is tighter holds at once; what is looser takes your tap.',
    )
    .examples(
      ['trade-agent policy', 'limits, and how much of them is used'],
      ['trade-agent policy check "buy 5 AAPL"', 'what would be decided; nobody is asked'],
      ['trade-agent policy set max_order_notional=500', 'asks your phone where it is looser'],
    )
    .exits(...askingExits, exits.pending, exits.found);
  addLooking(policy);
  addChanging(policy);
  addTrying(policy);
}

function addLooking(policy: CliCommand): void {
  policy
    .command('show', { isDefault: true })
    .description('show the limits, how much of them is used, the rules, and the state of trading')
    .examples(
      ['trade-agent policy show', ''],
      ['trade-agent policy show --output json', 'with the texts of the rules'],
    )
    .exits(...sessionExits)
    .runs(async (context) => (await import('./show.ts')).printPolicy(context));
  policy
    .command('check')
    .summary('say what would be decided about an order')
    .description(
      `Says what would be decided about an order now, by the same rules as a proposal and its execution. Nobody's phone rings. Exit ${exits.blocked} where it would be refused.`,
    )
    .argument('<order>', 'as the built-in planner reads it')
    .examples(
      ['trade-agent policy check "buy 5 AAPL limit 180"', ''],
      ['trade-agent policy check "sell half my MSFT" --output json', 'reasons, limit and value'],
    )
    .exits(...sessionExits, exits.blocked)
    .runs(async (context, order: string) => (await import('./show.ts')).printCheck(context, order));
  policy
    .command('log')
    .summary('list what was decided')
    .description(
      'Lists what was decided about your orders, newest first: every refusal, and every order that went out.',
    )
    .option('--denied', 'refusals alone')
    .option('--limit <n>', 'at most this many', parseLimit, 20)
    .examples(
      ['trade-agent policy log --denied', 'what was refused, and why'],
      ['trade-agent policy log --limit 5 --output json', 'with the facts that it was decided by'],
    )
    .exits(...sessionExits)
    .runs(async (context, options: LogOptions) => (await import('./show.ts')).printLog(context, options));
}

function addChanging(policy: CliCommand): void {
  policy
    .command('set')
    .summary('change the limits, or a file of rules')
    .description(
      'Changes the rules of your account. What is tighter holds at once, for every program; what makes more possible is shown on your phone, old and new, and holds once you approve.',
    )
    .argument('[limits...]', 'KEY=VALUE each; lists with commas, "none" takes a limit away')
    .option('--rules <file>', 'add or replace a file of rules (*.cedar); may be repeated', collected, [])
    .option('--remove <name>', 'take a file of rules away; may be repeated', collected, [])
    .addOption(approvalOption())
    .examples(
      ['trade-agent policy set max_order_notional=500', 'at once, where it was more'],
      ['trade-agent policy set symbols.allow=VTI,BND sides=buy', 'these alone, and no sales'],
      ['trade-agent policy set max_day_orders=none --approval detach', `looser: exits ${exits.pending}`],
      ['trade-agent policy set --rules no-options.cedar', 'a rule of your own, in Cedar'],
    )
    .exits(...askingExits, exits.pending)
    .runs(async (context, limits: string[], options: SetOptions) =>
      (await import('./show.ts')).changeRules(context, limits, options),
    );
}

function addTrying(policy: CliCommand): void {
  policy
    .command('diff')
    .summary('say what other rules would change')
    .description(
      `Compares limits or rules of a file (limits.yaml, *.cedar, or a folder of both) with those that are in force. --replay decides your past orders by both, from what was recorded with them, and names those that would come out otherwise; exit ${exits.found} where there are any. Nothing is changed.`,
    )
    .argument('<file>', 'limits.yaml, a *.cedar file, or a folder with limits.yaml and policies/')
    .option('--replay', 'name the past orders that would be decided otherwise')
    .examples(
      ['trade-agent policy diff limits.yaml', 'the lines that change, looser ones first'],
      ['trade-agent policy diff limits.yaml --replay', 'and the past orders that would flip'],
    )
    .exits(...sessionExits, exits.found)
    .runs(async (context, file: string, options: { replay?: boolean }) =>
      (await import('./show.ts')).printDiff(context, file, options.replay ?? false),
    );
  policy
    .command('test')
    .summary('run a file of cases against rules')
    .description(
      `Runs a file of cases, each an order and what should be decided about it. It brings its limits and rules along, or is run against those in force. Exit ${exits.failed} where one comes out otherwise.`,
    )
    .argument('<file>', 'a YAML file of cases; docs/guide/POLICY.md says what may stand in it')
    .examples(
      ['trade-agent policy test policy-tests.yaml', 'offline, where it names its rules'],
      ['trade-agent policy test policy-tests.yaml --output json', 'each case, for CI'],
    )
    .exits(...sessionExits)
    .runs(async (context, file: string) => (await import('./show.ts')).printTests(context, file));
}

function collected(text: string, before: readonly string[]): string[] {
  return [...before, text];
}
