import { approvalExitCodes, exitCodes, sessionExitCodes } from '../../../app/exit-codes.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import { parseListLimit } from '../../options/choice.ts';
import { approvalOption } from '../run/run.ts';
import type { PolicyLogOptions, PolicySetOptions } from './show.ts';

export function addPolicyCommand(program: CliCommand): void {
  const policy = program
    .command('policy')
    .summary('show, test and change the rules for your orders')
    .description(
      'Show, test and change the rules that the gateway enforces for your orders. Tighter rules apply immediately; looser rules need your approval.',
    )
    .examples(
      ['trade-agent policy', 'the limits and how much of them is used'],
      ['trade-agent policy check "buy 5 AAPL"', 'the decision, without placing anything'],
      ['trade-agent policy set max_order_notional=500', 'needs approval if the new limit is looser'],
    )
    .exits(...approvalExitCodes, exitCodes.pending, exitCodes.found);
  addReadCommands(policy);
  addSetCommand(policy);
  addTestCommands(policy);
}

function addReadCommands(policy: CliCommand): void {
  policy
    .command('show', { isDefault: true })
    .description('show the limits and how much of them is used, the rules, and the trading state')
    .examples(['trade-agent policy show', ''], ['trade-agent policy show --output json', 'with the texts of the rules'])
    .exits(...sessionExitCodes)
    .runs(async (context) => (await import('./show.ts')).printPolicy(context));
  policy
    .command('check')
    .summary('show what the rules decide about an order')
    .description(
      `Show what the rules decide about an order now, as for a real proposal. Sends nothing to your phone. Exits with ${exitCodes.blocked} if the order would be refused.`,
    )
    .argument('<order>', 'the order in plain English, for the built-in planner')
    .examples(
      ['trade-agent policy check "buy 5 AAPL limit 180"', ''],
      ['trade-agent policy check "sell half my MSFT" --output json', 'reasons, limit and value'],
    )
    .exits(...sessionExitCodes, exitCodes.blocked)
    .runs(async (context, order: string) => (await import('./show.ts')).printPolicyCheck(context, order));
  policy
    .command('log')
    .summary('list past decisions')
    .description('List past decisions about your orders, newest first: all refusals, and all orders that were sent.')
    .option('--denied', 'only refusals')
    .option('--limit <n>', 'maximum number of decisions', parseListLimit, 20)
    .examples(
      ['trade-agent policy log --denied', 'what was refused, and why'],
      ['trade-agent policy log --limit 5 --output json', 'with the facts of each decision'],
    )
    .exits(...sessionExitCodes)
    .runs(async (context, options: PolicyLogOptions) => (await import('./show.ts')).printPolicyLog(context, options));
}

function addSetCommand(policy: CliCommand): void {
  policy
    .command('set')
    .summary('change limits or rule files')
    .description(
      'Change the rules of your account. Tighter rules apply immediately, for all programs. Looser rules are shown on your phone, old and new, and apply once you approve.',
    )
    .argument('[limits...]', 'KEY=VALUE; separate lists with commas, "none" removes a limit, += and -= change a list')
    .option('--rules <file>', 'add or replace a rule file (*.cedar); repeatable', collect, [])
    .option('--remove <name>', 'remove a rule file; repeatable', collect, [])
    .addOption(approvalOption())
    .examples(
      ['trade-agent policy set max_order_notional=500', 'applies immediately if the limit was higher'],
      ['trade-agent policy set symbols.allow=VTI,BND sides=buy', 'only these symbols, and no sales'],
      [
        'trade-agent policy set message_recipients+=gmail:bob@example.com',
        'messages may be sent there, once you approve',
      ],
      ['trade-agent policy set max_day_orders=none --approval detach', `looser: exits with ${exitCodes.pending}`],
      ['trade-agent policy set --rules no-options.cedar', 'your own rule, in Cedar'],
    )
    .exits(...approvalExitCodes, exitCodes.pending)
    .runs(async (context, limits: string[], options: PolicySetOptions) =>
      (await import('./show.ts')).proposePolicyChange(context, limits, options),
    );
}

function addTestCommands(policy: CliCommand): void {
  policy
    .command('diff')
    .summary('compare other rules with the active rules')
    .description(
      `Compare the limits or rules in a file (limits.yaml, *.cedar, or a folder with both) with the active rules. --replay evaluates your past orders under both and lists the orders with a different decision; exits with ${exitCodes.found} if there are any. Changes nothing.`,
    )
    .argument('<file>', 'limits.yaml, a *.cedar file, or a folder with limits.yaml and policies/')
    .option('--replay', 'list past orders with a different decision')
    .examples(
      ['trade-agent policy diff limits.yaml', 'the changes, looser ones first'],
      ['trade-agent policy diff limits.yaml --replay', 'and past orders with a different decision'],
    )
    .exits(...sessionExitCodes, exitCodes.found)
    .runs(async (context, file: string, options: { replay?: boolean }) =>
      (await import('./show.ts')).printPolicyDiff(context, file, options.replay ?? false),
    );
  policy
    .command('test')
    .summary('run test cases against rules')
    .description(
      `Run test cases, each with an order and the expected decision, against the rules in the file or, if it has none, the active rules. Exits with ${exitCodes.failed} if a case fails.`,
    )
    .argument('<file>', 'a YAML file of test cases (see docs/guide/POLICY.md)')
    .examples(
      ['trade-agent policy test policy-tests.yaml', 'works offline if the file has its rules'],
      ['trade-agent policy test policy-tests.yaml --output json', 'all results, for CI'],
    )
    .exits(...sessionExitCodes)
    .runs(async (context, file: string) => (await import('./show.ts')).printPolicyTests(context, file));
}

function collect(text: string, before: readonly string[]): string[] {
  return [...before, text];
}
