import { TradeAgentError } from '../errors/errors.ts';
import { withProcessLock } from '../machine/process-lock.ts';
import { commandFailedError, type RunSystemCommand } from './machine-command.ts';
import type { ScheduledCommand, Scheduler } from './scheduler.ts';

/** Maximum wait for the lock, in milliseconds. Only one trade-agent command may edit the crontab at a time. */
const LOCK_WAIT_MS = 30_000;

/**
 * Returns a scheduler that edits the user's crontab, always through the `crontab` command.
 * @param lock path of the lock file that trade-agent's commands use for the crontab
 */
export function createCrontabScheduler(run: RunSystemCommand, lock: string): Scheduler {
  const read = async (): Promise<Buffer> => {
    const answer = await run('crontab', ['-l']);
    if (answer.code === 0) return answer.stdout;
    // Only these messages prove that the user has no crontab. (The second message is Busybox's.)
    if (/no crontab for|can't open '[^']*': No such file/i.test(answer.stderr)) return Buffer.alloc(0);
    throw commandFailedError('reading the crontab', answer, 'Check whether "crontab -l" works.');
  };
  const write = async (crontab: Buffer): Promise<void> => {
    const answer = crontab.length === 0 ? await run('crontab', ['-r']) : await run('crontab', ['-'], crontab);
    const failed = (why: typeof answer, hint: string) => commandFailedError('writing the crontab', why, hint);
    if (answer.code !== 0) throw failed(answer, 'Nothing was changed. Check whether "crontab -e" works.');
    if ((await read()).equals(crontab)) return;
    throw failed(
      { ...answer, stderr: 'the crontab does not contain the lines that were just written' },
      'Another program is editing the crontab. Check it with "crontab -l", then try again.',
    );
  };
  const alone = <T>(work: () => Promise<T>) => withProcessLock(lock, { waitMs: LOCK_WAIT_MS }, work);
  return {
    name: 'cron',
    note: undefined,
    entry: (id, command, minutes) => [{ file: null, text: crontabBlock(id, command, minutes) }],
    install: (_id, entry) =>
      alone(async () => write(appendCrontabBlock(await read(), entry.map(({ text }) => text).join('')))),
    async state({ id, entry }) {
      const block = findCrontabBlock(await read(), id);
      if (block === undefined) return 'missing';
      return block === entry.map(({ text }) => text).join('') ? 'installed' : 'changed';
    },
    remove: (id) =>
      alone(async () => {
        const rest = removeCrontabBlock(await read(), id);
        if (rest === undefined) return false;
        await write(rest);
        return true;
      }),
  };
}

/** Maximum length of a command, in bytes: Debian's cron truncates longer commands (MAX_COMMAND). */
const MAX_COMMAND_BYTES = 998;

const beginMarker = (id: string) =>
  `# trade-agent schedule ${id} begins; "trade-agent schedule remove ${id}" takes it out`;
const endMarker = (id: string) => `# trade-agent schedule ${id} ends`;

/**
 * Returns a schedule's lines, between marker comments.
 * @throws {TradeAgentError} `usage` if cron would truncate the command
 */
export function crontabBlock(id: string, command: ScheduledCommand, minutes: readonly number[]): string {
  const environment = Object.entries(command.environment).map(([name, value]) => `${name}=${shellQuoted(value)}`);
  const words = [
    // Uses env, because the crontab's SHELL may not support VAR=value before a command.
    ...(environment.length === 0 ? [] : ['/usr/bin/env', ...environment]),
    shellQuoted(command.node),
    shellQuoted(command.script),
    ...command.args,
  ];
  // Cron turns a percent sign into a line break, even in quotes.
  const line = words.join(' ').replaceAll('%', '\\%');
  if (Buffer.byteLength(line) > MAX_COMMAND_BYTES) {
    const message = `the crontab line is longer than cron’s limit of ${MAX_COMMAND_BYTES} characters`;
    const hint = 'Use --with systemd, or a TRADE_AGENT_HOME with a shorter path.';
    throw new TradeAgentError('usage', message, { hint });
  }
  return [
    beginMarker(id),
    `${minutes.length === 60 ? '*' : minutes.join(',')} * * * * ${line}`,
    endMarker(id),
    '',
  ].join('\n');
}

/** Quotes a word for POSIX shells, csh and fish alike. */
function shellQuoted(text: string): string {
  return /^[A-Za-z0-9_./=:@+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

export function appendCrontabBlock(crontab: Buffer, block: string): Buffer {
  const open = crontab.length > 0 && crontab.at(-1) !== 10;
  return Buffer.concat([crontab, Buffer.from(open ? '\n' : ''), Buffer.from(block)]);
}

/** Returns a schedule's block; undefined if it is missing or incomplete. */
export function findCrontabBlock(crontab: Buffer, id: string): string | undefined {
  const range = blockRange(crontab, id);
  return range === undefined ? undefined : crontab.subarray(range.start, range.end).toString();
}

/**
 * Removes a schedule's block and keeps all other bytes. Returns undefined if there is no block.
 * @throws {TradeAgentError} `invalid_config` for a changed block, because its lines may belong to something else
 */
export function removeCrontabBlock(crontab: Buffer, id: string): Buffer | undefined {
  const range = blockRange(crontab, id);
  if (range !== undefined) return Buffer.concat([crontab.subarray(0, range.start), crontab.subarray(range.end)]);
  const halves = crontabLines(crontab).filter(({ text }) => text === beginMarker(id) || text === endMarker(id));
  if (halves.length === 0) return undefined;
  const message = `the lines of schedule ${id} in the crontab were changed`;
  const hint = 'Remove these lines with "crontab -e". They are marked with the schedule’s ID.';
  throw new TradeAgentError('invalid_config', message, { hint });
}

function blockRange(crontab: Buffer, id: string): { start: number; end: number } | undefined {
  const all = crontabLines(crontab);
  const begin = all.findIndex(({ text }) => text === beginMarker(id));
  const end = all.findIndex(({ text }, index) => index > begin && text === endMarker(id));
  const [a, b] = [all[begin], all[end]];
  if (begin === -1 || a === undefined || b === undefined) return undefined;
  // Requires exactly three lines, because lines that someone inserted are not ours.
  return end - begin === 2 ? { start: a.start, end: b.end } : undefined;
}

/** Returns the lines with their byte offsets, because a crontab may have any encoding. */
function crontabLines(crontab: Buffer): { text: string; start: number; end: number }[] {
  const found: { text: string; start: number; end: number }[] = [];
  for (let start = 0; start < crontab.length; ) {
    const feed = crontab.indexOf(10, start);
    const end = feed === -1 ? crontab.length : feed + 1;
    found.push({ text: crontab.subarray(start, feed === -1 ? end : feed).toString('latin1'), start, end });
    start = end;
  }
  return found;
}
