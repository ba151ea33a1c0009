import type { Command } from 'commander';
import type { ThreadView } from '../../../agent/events.ts';
import { TradeAgentError } from '../../../trading/errors.ts';
import { type Cli, runCommand } from '../../cli.ts';
import type { Context } from '../../context.ts';
import { parseAge } from '../../options/duration.ts';
import { examples, exitCodes } from '../../options/help.ts';

interface PruneFlags {
  /** Milliseconds. */
  readonly olderThan?: number;
  readonly keep?: number;
  readonly dryRun?: boolean;
}

export function addThreadsCommand(program: Command, cli: Cli): void {
  const threads = program
    .command('threads')
    .summary('earlier conversations')
    .description('Lists earlier conversations, shows one, deletes one, or clears out old ones.')
    .addHelpText(
      'after',
      examples([
        ['trade-agent threads', 'newest first'],
        ['trade-agent threads show THREAD', 'what was said, called, and asked of your phone'],
        ['trade-agent threads delete THREAD', ''],
        ['trade-agent threads prune --older-than 30d --keep 20', 'finished ones only'],
      ]) + exitCodes([5, 10, 11, 12]),
    );
  threads
    .command('list', { isDefault: true })
    .description('list conversations, newest first')
    .addHelpText('after', examples([['trade-agent threads --output json', '']]) + exitCodes([11]))
    .action((_options, command: Command) => runCommand(cli, command, listThreads));
  threads
    .command('show')
    .description('show a conversation: what was said, what was called, and its approvals')
    .argument('<thread>', 'as "threads list" shows it')
    .addHelpText(
      'after',
      examples([['trade-agent threads show th_4k2m9x --output json', '']]) + exitCodes([11]),
    )
    .action((thread: string, _options, command: Command) =>
      runCommand(cli, command, (context) => showThread(context, thread)),
    );
  threads
    .command('delete')
    .summary('delete a conversation and its approvals')
    .description(
      'Deletes a conversation and its approvals. Refused while one of them is open: cancel it (exit 5) or settle it (exit 10) first. The audit log keeps what was asked and answered.',
    )
    .argument('<thread>', 'as "threads list" shows it')
    .addHelpText(
      'after',
      examples([['trade-agent threads delete th_4k2m9x', '']]) + exitCodes([5, 10, 11, 12]),
    )
    .action((thread: string, _options, command: Command) =>
      runCommand(cli, command, (context) => deleteThread(context, thread)),
    );
  threads
    .command('prune')
    .summary('delete old conversations that are finished')
    .description(
      'Deletes finished conversations: those that nothing happened in for so long, sparing the newest. One that is under way, was cut off, or has an open approval always stays.',
    )
    .option('--older-than <age>', 'those untouched for 12h, 30d, 8w', parseAge)
    .option('--keep <n>', 'spare the newest N', parseCount)
    .option('--dry-run', 'only say which')
    .addHelpText(
      'after',
      examples([
        ['trade-agent threads prune --older-than 30d', ''],
        ['trade-agent threads prune --keep 20 --dry-run', ''],
      ]) + exitCodes([11]),
    )
    .action((options: PruneFlags, command: Command) =>
      runCommand(cli, command, (context) => pruneThreads(context, options)),
    );
}

async function listThreads(context: Context): Promise<void> {
  const threads = await (await context.agent({})).threads();
  await context.output.result('threads', { threads }, async () => {
    if (threads.length === 0) return 'No threads.';
    const [{ table }, { safeLine }] = await Promise.all([
      import('../../text/table.ts'),
      import('../../../net/shown-text.ts'),
    ]);
    return table<ThreadView>(
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

async function showThread(context: Context, id: string): Promise<void> {
  const thread = await (await context.agent({})).thread(id);
  await context.output.result('thread', { thread }, async () => {
    const { threadText } = await import('../../text/thread-lines.ts');
    return threadText(thread, context.io.unicode);
  });
}

async function deleteThread(context: Context, id: string): Promise<void> {
  await (await context.agent({})).deleteThread(id);
  await context.output.result('deleted-threads', { deleted: [id] }, () => `Deleted ${id}.`);
}

async function pruneThreads(context: Context, options: PruneFlags): Promise<void> {
  const { olderThan, keep, dryRun = false } = options;
  if (olderThan === undefined && keep === undefined) {
    throw new TradeAgentError('usage', 'which threads to delete is not said', {
      hint: 'Give --older-than 30d, --keep 20, or both.',
    });
  }
  const agent = await context.agent({});
  const deleted = await agent.pruneThreads({ olderThan: olderThan ?? 0, keep: keep ?? 0, dryRun });
  await context.output.result('deleted-threads', { deleted, dry_run: dryRun }, () => {
    const count = `${deleted.length} ${deleted.length === 1 ? 'thread' : 'threads'}`;
    return [`${dryRun ? 'Would delete' : 'Deleted'} ${count}.`, ...deleted.map((id) => `  ${id}`)].join('\n');
  });
}

/** @throws {TradeAgentError} `usage` */
function parseCount(text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new TradeAgentError('usage', `--keep can't be "${text}"`, { hint: 'Give a whole number.' });
}
