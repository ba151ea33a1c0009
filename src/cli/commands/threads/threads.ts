import { exitCodes } from '../../../app/exit-codes.ts';
import { deleteThread, findThread, listThreads, type PruneSettings, pruneThreads } from '../../../app/threads.ts';
import { TradeAgentError } from '../../../errors/errors.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import type { Context } from '../../context/context.ts';
import { parseAge } from '../../options/duration.ts';
import { toAudience } from '../../text/audience.ts';

const openThreadExits = [exitCodes.pending, exitCodes.unknown, exitCodes.credentialStore, exitCodes.busy];

export function addThreadsCommand(program: CliCommand): void {
  const threads = program
    .command('threads')
    .summary('list and delete earlier conversations')
    .description('List earlier conversations, show one, delete one, or delete old ones.')
    .examples(
      ['trade-agent threads', 'newest first'],
      ['trade-agent threads show THREAD', 'messages, tool calls and approvals'],
      ['trade-agent threads delete THREAD', ''],
      ['trade-agent threads prune --older-than 30d --keep 20', 'only finished conversations'],
    )
    .exits(...openThreadExits);
  threads
    .command('list', { isDefault: true })
    .description('list conversations, newest first')
    .examples(['trade-agent threads --output json', ''])
    .exits(exitCodes.credentialStore)
    .runs(showThreads);
  threads
    .command('show')
    .description('show a conversation: messages, tool calls and approvals')
    .argument('<thread>', 'the ID from "threads list", or a unique prefix')
    .examples(['trade-agent threads show th_4k2m9x --output json', ''])
    .exits(exitCodes.credentialStore)
    .runs(showThread);
  threads
    .command('delete')
    .summary('delete a conversation and its approvals')
    .description(
      `Delete a conversation and its approvals. While an approval is open, cancel it (exit ${exitCodes.pending}) or reconcile it (exit ${exitCodes.unknown}) first. The audit log keeps all approvals.`,
    )
    .argument('<thread>', 'the ID from "threads list", or a unique prefix')
    .examples(['trade-agent threads delete th_4k2m9x', ''])
    .exits(...openThreadExits)
    .runs(showDeleted);
  threads
    .command('prune')
    .summary('delete old conversations that are finished')
    .description(
      'Delete finished conversations, by age or all but the newest. Conversations that are running, interrupted, or have an open approval are always kept.',
    )
    .option(
      '--older-than <age>',
      'delete conversations without activity for this time, such as 12h, 30d or 8w',
      parseAge,
    )
    .option('--keep <n>', 'keep the newest N conversations', parseCount)
    .option('--dry-run', 'only show which conversations would be deleted')
    .examples(['trade-agent threads prune --older-than 30d', ''], ['trade-agent threads prune --keep 20 --dry-run', ''])
    .exits(exitCodes.credentialStore)
    .runs(showPruned);
}

async function showThreads(context: Context): Promise<void> {
  const threads = await listThreads(context);
  await context.output.result('threads', { threads }, async () => {
    if (threads.length === 0) return 'No threads.';
    const { threadsText } = await import('../../text/lists.ts');
    return threadsText(threads, toAudience(context.io));
  });
}

async function showThread(context: Context, id: string): Promise<void> {
  const thread = await findThread(context, id);
  await context.output.result('thread', { thread }, async () =>
    (await import('./thread-lines.ts')).threadText(thread, context.io.unicode, toAudience(context.io)),
  );
}

async function showDeleted(context: Context, id: string): Promise<void> {
  const deleted = await deleteThread(context, id);
  await context.output.result('deleted-threads', { deleted: [deleted] }, () => `Deleted ${deleted}.`);
}

async function showPruned(context: Context, settings: PruneSettings): Promise<void> {
  const { dryRun = false } = settings;
  const deleted = await pruneThreads(context, settings);
  await context.output.result('deleted-threads', { deleted, dry_run: dryRun }, () => {
    const count = `${deleted.length} ${deleted.length === 1 ? 'thread' : 'threads'}`;
    return [`${dryRun ? 'Would delete' : 'Deleted'} ${count}.`, ...deleted.map((id) => `  ${id}`)].join('\n');
  });
}

function parseCount(text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new TradeAgentError('usage', `--keep can't be "${text}"`, { hint: 'Choose a whole number.' });
}
