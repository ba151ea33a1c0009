import { Argument } from 'commander';
import { type CompletionPlan, type Shell, shells } from '../../../app/completion/install.ts';
import { TradeAgentError } from '../../../errors/errors.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import type { Context } from '../../context/context.ts';

export function addCompletionCommand(program: CliCommand): void {
  const completion = program
    .command('completion')
    .summary('complete commands and values in your shell')
    .description(
      'Prints a script that completes commands, flags and values: symbols you hold, orders, threads, approvals, schedules, profiles. "completion install" puts it where your shell looks.',
    )
    .addArgument(new Argument('<shell>', 'for which shell').choices(shells))
    .examples(
      ['trade-agent completion install', 'for the shell you use; asks first'],
      ['source <(trade-agent completion bash)', 'for this session alone'],
      ['trade-agent completion fish | source', 'likewise'],
    )
    .runs(async ({ output }, shell: Shell) => {
      const { completionScripts } = await import('./scripts.ts');
      const script = completionScripts[shell];
      await output.result('completion', { shell, script }, () => script.trimEnd());
    });
  const named = () => new Argument('[shell]', 'for which shell (default: that of $SHELL)').choices(shells);
  completion
    .command('install')
    .description('write the script where the shell looks for it')
    .addArgument(named())
    .option('--print', 'only say what would be written')
    .option('--yes', 'do not ask')
    .examples(
      ['trade-agent completion install', 'asks, then writes'],
      ['trade-agent completion install zsh --print', 'where, and which lines'],
      ['trade-agent completion install --yes', 'for scripts'],
    )
    .runs(install);
  completion
    .command('uninstall')
    .description('take out what "completion install" wrote')
    .addArgument(named())
    .examples(['trade-agent completion uninstall', 'and nothing else'])
    .runs(uninstall);
}

async function install(
  context: Context,
  named: string | undefined,
  { print = false, yes = false }: { print?: boolean; yes?: boolean },
): Promise<void> {
  const { completionPlan, installCompletion, shellOf } = await import('../../../app/completion/install.ts');
  const { completionScripts } = await import('./scripts.ts');
  const plan = completionPlan(shellOf(named, context), context);
  if (!print && !yes) await requireYes(context, plan);
  const files = print
    ? [plan.file, ...(plan.startup === undefined ? [] : [plan.startup.file])]
    : installCompletion(plan, completionScripts[plan.shell]);
  await context.output.result('completion-install', { shell: plan.shell, files, written: !print }, () =>
    print
      ? planText(plan)
      : [...files.map((file) => `Wrote ${file}`), 'New shells complete "trade-agent".'].join('\n'),
  );
}

async function requireYes(context: Context, plan: CompletionPlan): Promise<void> {
  const { agrees } = await import('../../terminal/questions.ts');
  const yes = await agrees(context, {
    message: 'completions are written where your shell looks',
    hint: 'Say --yes to have them written without being asked, or --print to see where.',
    shown: planText(plan),
    question: 'Write it?',
  });
  if (!yes) throw new TradeAgentError('usage', 'nothing was written', { hint: 'Say --yes not to be asked.' });
}

function planText({ file, startup }: CompletionPlan): string {
  const script = `the script goes to ${file}`;
  if (startup === undefined) return script;
  return `${script}\n${startup.file} gets:\n${startup.lines}`;
}

async function uninstall(context: Context, named: string | undefined): Promise<void> {
  const { completionPlan, shellOf, uninstallCompletion } = await import('../../../app/completion/install.ts');
  const { env } = context;
  const shell = shellOf(named, context);
  // It may have been installed before or after bash-completion was.
  const plans = [completionPlan(shell, context), completionPlan(shell, { env, exists: () => false })];
  const files = [...new Set([...plans, completionPlan(shell, { env, exists: () => true })])].flatMap(
    uninstallCompletion,
  );
  await context.output.result('completion-install', { shell, files, written: false }, () =>
    files.length === 0
      ? 'There was nothing to take out.'
      : files.map((file) => `Took it out of ${file}`).join('\n'),
  );
}

/** For completion scripts: a candidate a line, nothing where they can't be known. */
export function addCompleteCommand(program: CliCommand): void {
  program
    .command('__complete', { hidden: true })
    .description('print what a word can be completed to; for completion scripts')
    .requiredOption('--word <word>', 'the word at the cursor')
    .argument('[words...]', 'the words before it')
    .action((words: string[], { word }: { readonly word: string }, command: CliCommand) =>
      command.runInContext(
        async (context) => {
          const { findCandidates } = await import('./candidates.ts');
          const { completionValues } = await import('../../../app/completion/values.ts');
          const found = await findCandidates(program, words, word, (kind) => completionValues(context, kind));
          const lines =
            found === 'files'
              ? [':files']
              : found.map(({ value, summary = '' }) => (summary === '' ? value : `${value}\t${summary}`));
          for (const line of lines) context.io.print(line);
        },
        // A message would appear in the middle of what is typed.
        () => undefined,
      ),
    );
}
