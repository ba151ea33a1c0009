import { Argument, type Command } from 'commander';
import { runCommand } from '../../cli.ts';
import type { Cli } from '../../surroundings.ts';
import { type ValueKind, valueKinds } from './values.ts';

/** What completion scripts ask: one value a line, and nothing where they can't be known. */
export function addValuesCommand(program: Command, cli: Cli): void {
  program
    .command('__complete', { hidden: true })
    .description('print what a word can be completed to; for completion scripts')
    .addArgument(new Argument('<kind>', 'of what').choices(valueKinds))
    .action((kind: ValueKind, _options, command: Command) =>
      runCommand(
        cli,
        command,
        async (context) => {
          const { completionValues } = await import('../../../app/completion/values.ts');
          for (const value of await completionValues(context, kind)) context.io.print(value);
        },
        // Whatever is said would stand in the middle of what is typed.
        () => undefined,
      ),
    );
}
