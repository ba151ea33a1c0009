import type { Command } from 'commander';
import { type Cli, runCommand } from '../cli.ts';
import type { Context } from '../context.ts';
import { examples, exitCodes } from '../help.ts';

export function addThreadsCommand(program: Command, cli: Cli): void {
  program
    .command('threads')
    .description('list earlier conversations, newest first')
    .addHelpText('after', examples([['trade-agent threads --output json', '']]) + exitCodes([11]))
    .action((_options, command: Command) => runCommand(cli, command, listThreads));
}

async function listThreads(context: Context): Promise<void> {
  const threads = await (await context.agent({})).threads();
  await context.output.result('threads', { threads }, async () => {
    if (threads.length === 0) return 'No threads.';
    const [{ table }, { safeLine }] = await Promise.all([
      import('../text/table.ts'),
      import('../text/safe-text.ts'),
    ]);
    return table<(typeof threads)[number]>(
      [
        { head: 'THREAD', cell: ({ thread }) => thread },
        { head: 'UPDATED', cell: ({ updated_at }) => updated_at },
        { head: 'STATUS', cell: ({ status }) => status },
        { head: 'PROMPT', cell: ({ prompt }) => safeLine(prompt).slice(0, 60) },
      ],
      threads,
    );
  });
}
