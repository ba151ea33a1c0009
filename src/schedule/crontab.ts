import { withProcessLock } from '../machine/process-lock.ts';
import { blockOf, crontabBlock, withBlock, withoutBlock } from './crontab-block.ts';
import { commandFailed, type MachineCommand } from './machine-command.ts';
import type { Scheduler } from './scheduler.ts';

/** Our own commands edit the crontab one at a time. */
const LOCK_WAIT_MS = 30_000;

/** The user's crontab, through the `crontab` command only. @param lock for our own commands */
export function crontabScheduler(run: MachineCommand, lock: string): Scheduler {
  const read = async (): Promise<Buffer> => {
    const answer = await run('crontab', ['-l']);
    if (answer.code === 0) return answer.stdout;
    // Only then is there certainly nothing to overwrite. (Busybox has the second message.)
    if (/no crontab for|can't open '[^']*': No such file/i.test(answer.stderr)) return Buffer.alloc(0);
    throw commandFailed('reading the crontab', answer, 'See whether "crontab -l" works.');
  };
  const write = async (crontab: Buffer): Promise<void> => {
    const answer = crontab.length === 0 ? await run('crontab', ['-r']) : await run('crontab', ['-'], crontab);
    const failed = (why: typeof answer, hint: string) => commandFailed('writing the crontab', why, hint);
    if (answer.code !== 0) throw failed(answer, 'Nothing was changed; see whether "crontab -e" works.');
    if ((await read()).equals(crontab)) return;
    throw failed(
      { ...answer, stderr: 'it is not what was written' },
      'Something else edits the crontab; look at it with "crontab -l", then try again.',
    );
  };
  const alone = <T>(work: () => Promise<T>) => withProcessLock(lock, { waitMs: LOCK_WAIT_MS }, work);
  return {
    name: 'cron',
    note: undefined,
    entry: (id, command, minutes) => [{ file: null, text: crontabBlock(id, command, minutes) }],
    install: (_id, entry) =>
      alone(async () => write(withBlock(await read(), entry.map(({ text }) => text).join('')))),
    async state({ id, entry }) {
      const block = blockOf(await read(), id);
      if (block === undefined) return 'missing';
      return block === entry.map(({ text }) => text).join('') ? 'installed' : 'changed';
    },
    remove: (id) =>
      alone(async () => {
        const rest = withoutBlock(await read(), id);
        if (rest === undefined) return false;
        await write(rest);
        return true;
      }),
  };
}
