import { Argument } from 'commander';
import { type CompletionPlan, type Shell, shells } from '../../../app/completion/install.ts';
import { TradeAgentError } from '../../../errors/errors.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import type { Context } from '../../context/context.ts';

export function addCompletionCommand(program: CliCommand): void {
  const completion = program
    .command('completion')
    .summary('set up shell completion')
    .description(
      'Print a script that completes commands, flags and values: symbols you hold, orders, threads, approvals, schedules, profiles. "completion install" installs it for your shell.',
    )
    .addArgument(new Argument('<shell>', 'the shell').choices(shells))
    .examples(
      ['trade-agent completion install', 'for your shell; asks first'],
      ['source <(trade-agent completion bash)', 'only for this session'],
      ['trade-agent completion fish | source', 'only for this session'],
    )
    .runs(async ({ output }, shell: Shell) => {
      const { completionScripts } = await import('./scripts.ts');
      const script = completionScripts[shell];
      await output.result('completion', { shell, script }, () => script.trimEnd());
    });
  const named = () => new Argument('[shell]', 'the shell (default: from $SHELL)').choices(shells);
  completion
    .command('install')
    .description('install the completion script')
    .addArgument(named())
    .option('--print', 'only show what would be written')
    .option('--yes', 'skip the prompt')
    .examples(
      ['trade-agent completion install', 'asks, then writes'],
      ['trade-agent completion install zsh --print', 'shows the files and lines'],
      ['trade-agent completion install --yes', 'for scripts'],
    )
    .runs(install);
  completion
    .command('uninstall')
    .description('remove what "completion install" wrote')
    .addArgument(named())
    .examples(['trade-agent completion uninstall', 'changes nothing else'])
    .runs(uninstall);
}

async function install(
  context: Context,
  named: string | undefined,
  { print = false, yes = false }: { print?: boolean; yes?: boolean },
): Promise<void> {
  const { planCompletion, installCompletion, resolveShell } = await import('../../../app/completion/install.ts');
  const { completionScripts } = await import('./scripts.ts');
  const plan = planCompletion(resolveShell(named, context), context);
  if (!print && !yes) await requireYes(context, plan);
  const files = print
    ? [plan.file, ...(plan.startup === undefined ? [] : [plan.startup.file])]
    : installCompletion(plan, completionScripts[plan.shell]);
  await context.output.result('completion-install', { shell: plan.shell, files, written: !print }, () =>
    print ? planText(plan) : [...files.map((file) => `Wrote ${file}`), 'Start a new shell to use it.'].join('\n'),
  );
}

async function requireYes(context: Context, plan: CompletionPlan): Promise<void> {
  const { confirmOrFail } = await import('../../terminal/questions.ts');
  const yes = await confirmOrFail(context, {
    message: 'installing completions writes files',
    hint: 'Pass --yes to skip the prompt, or --print to see the files.',
    shown: planText(plan),
    question: 'Write this?',
  });
  if (!yes) throw new TradeAgentError('usage', 'nothing was written', { hint: 'Pass --yes to skip the prompt.' });
}

function planText({ file, startup }: CompletionPlan): string {
  const script = `the script goes to ${file}`;
  if (startup === undefined) return script;
  return `${script}\n${startup.file} gets:\n${startup.lines}`;
}

async function uninstall(context: Context, named: string | undefined): Promise<void> {
  const { planCompletion, resolveShell, uninstallCompletion } = await import('../../../app/completion/install.ts');
  const { env } = context;
  const shell = resolveShell(named, context);
  // Looks in both places, because the path depends on whether bash-completion existed at installation.
  const plans = [planCompletion(shell, context), planCompletion(shell, { env, exists: () => false })];
  const files = [...new Set([...plans, planCompletion(shell, { env, exists: () => true })])].flatMap(
    uninstallCompletion,
  );
  await context.output.result('completion-install', { shell, files, written: false }, () =>
    files.length === 0
      ? 'There was nothing to remove.'
      : files.map((file) => `Removed trade-agent completion from ${file}`).join('\n'),
  );
}

/**
 * Adds the hidden command that completion scripts call. It prints one candidate per line, or nothing if there are none.
 */
export function addCompleteCommand(program: CliCommand): void {
  program
    .command('__complete', { hidden: true })
    .description('print the possible completions of a word, for completion scripts')
    .requiredOption('--word <word>', 'the word at the cursor')
    .argument('[words...]', 'the words before the cursor')
    .action((words: string[], { word }: { readonly word: string }, command: CliCommand) =>
      command.runInContext(
        async (context) => {
          const { findCandidates } = await import('./candidates.ts');
          const { listCompletionValues } = await import('../../../app/completion/values.ts');
          const found = await findCandidates(program, words, word, (kind) => listCompletionValues(context, kind));
          const lines =
            found === 'files'
              ? [':files']
              : found.map(({ value, summary = '' }) => (summary === '' ? value : `${value}\t${summary}`));
          for (const line of lines) context.io.print(line);
        },
        // Discards messages, because they would appear in the middle of the command line that is being completed.
        () => undefined,
      ),
    );
}
