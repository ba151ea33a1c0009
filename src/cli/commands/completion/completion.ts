import { Argument, type Command } from 'commander';
import { runCommand } from '../../cli.ts';
import { examples, exitCodes } from '../../options/help.ts';
import type { Cli } from '../../surroundings.ts';

const shells = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof shells)[number];

export function addCompletionCommand(program: Command, cli: Cli): void {
  program
    .command('completion')
    .summary('print a completion script for your shell')
    .description('Prints a script that completes commands, flags and their values.')
    .addArgument(new Argument('<shell>', 'for which shell').choices(shells))
    .addHelpText(
      'after',
      examples([
        ['source <(trade-agent completion bash)', 'in ~/.bashrc'],
        ['source <(trade-agent completion zsh)', 'in ~/.zshrc, after compinit'],
        ['trade-agent completion fish | source', 'in ~/.config/fish/config.fish'],
      ]) + exitCodes([]),
    )
    .action((shell: Shell, _options, command: Command) =>
      runCommand(cli, command, async ({ output }) => {
        const [{ describeCommands }, { bashScript, fishScript, zshScript }] = await Promise.all([
          import('./command-tree.ts'),
          import('./scripts.ts'),
        ]);
        const tree = describeCommands(program);
        const script = { bash: bashScript, zsh: zshScript, fish: fishScript }[shell](tree);
        await output.result('completion', { shell, script }, () => script.trimEnd());
      }),
    );
}
