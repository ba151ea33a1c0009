import type { ChildProcess } from 'node:child_process';
import { systemClock } from '../../src/machine/clock.ts';

/** Processes of one kind, of which any can be lost. */
export interface Breakable {
  readonly count: number;
  /** Ends one as a power cut does, and starts another in its place. */
  kill(index: number): Promise<void>;
  /** Has one stand still for so long, while it is asked as ever. */
  standStill(index: number, ms: number): Promise<void>;
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

/** SIGSTOP, and SIGCONT after so long. */
export async function standStill(child: ChildProcess, ms: number): Promise<void> {
  child.kill('SIGSTOP');
  await systemClock.sleep(ms);
  child.kill('SIGCONT');
}
