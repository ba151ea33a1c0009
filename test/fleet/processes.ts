import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { systemClock } from '../../src/machine/clock.ts';
import { compiledCode, launcher } from '../e2e/world.ts';

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
  members: readonly Pick<Member, 'child'>[],
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

/** Ends processes in their orderly way: by a message if they were forked, otherwise by SIGTERM. */
export async function endAll(members: readonly Pick<Member, 'child'>[]): Promise<void> {
  await Promise.all(
    members.map(async ({ child }) => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      if (child.connected) child.send('close');
      else child.kill('SIGTERM');
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

/** A command that serves until it is told to end. */
interface ServingCommand {
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** Where it writes that it is ready, and what it logs. */
  readonly readyFile: string;
  readonly logFile: string;
}

const serving = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of serving) child.kill('SIGKILL');
});

/** Starts the built program, and waits until it is ready. @throws where it ends instead, with the end of its log */
export async function startServing({ args, env, readyFile, logFile }: ServingCommand): Promise<Pick<Member, 'child'>> {
  const log = openSync(logFile, 'a', 0o600);
  const child = spawn(process.execPath, [launcher, ...args, '--ready-file', readyFile, '--log-format', 'json'], {
    env: { PATH: process.env.PATH, XDG_CACHE_HOME: compiledCode('dist'), ...env },
    stdio: ['ignore', 'ignore', log],
  });
  closeSync(log);
  serving.add(child);
  child.once('exit', () => serving.delete(child));
  while (!isReady(readyFile, child.pid)) {
    if (child.exitCode !== null || child.signalCode !== null) {
      const end = readFileSync(logFile, 'utf8').slice(-2_000);
      throw new Error(`"${args.join(' ')}" ended with ${child.exitCode ?? child.signalCode}: ${end}`);
    }
    await systemClock.sleep(20);
  }
  return { child };
}

/** A file that a killed process left behind names another process. */
function isReady(file: string, pid: number | undefined): boolean {
  try {
    return existsSync(file) && (JSON.parse(readFileSync(file, 'utf8')) as { pid: number }).pid === pid;
  } catch {
    return false;
  }
}
