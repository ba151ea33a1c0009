import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { systemClock } from '../../src/machine/clock.ts';

/** Processes of one kind, of which any can be lost. */
export interface Breakable {
  readonly count: number;
  /** Ends one as a power cut does, and starts another in its place. */
  kill(index: number): Promise<void>;
  /** Has one stand still for so long, while it is asked as ever. */
  standStill(index: number, ms: number): Promise<void>;
}

export interface Member {
  readonly child: ChildProcess;
  readonly port: number;
}

/** @param start starts another process in a member's place */
export function breakable(
  members: readonly Member[],
  count: number,
  start: (index: number) => Promise<unknown>,
): Breakable {
  const childAt = (index: number) => (members[index] as Member).child;
  return {
    count,
    async kill(index) {
      const child = childAt(index);
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
      await start(index);
    },
    async standStill(index, ms) {
      const child = childAt(index);
      child.kill('SIGSTOP');
      await systemClock.sleep(ms);
      child.kill('SIGCONT');
    },
  };
}

/** Ends processes as SIGTERM does. */
export async function endAll(members: readonly Member[]): Promise<void> {
  await Promise.all(
    members.map(async ({ child }) => {
      const ended = once(child, 'exit');
      child.send('close');
      await ended;
    }),
  );
}

/** What a process says next. @throws where it ends instead */
export async function heard(child: ChildProcess): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const died = (code: number | null) => reject(new Error(`a process of the fleet ended with ${code}`));
  child.once('exit', died);
  child.once('message', resolve);
  try {
    return await promise;
  } finally {
    child.off('exit', died);
    child.off('message', resolve);
  }
}
