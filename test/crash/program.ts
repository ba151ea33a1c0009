import { type ChildProcess, spawn } from 'node:child_process';
import { compiledCode } from '../e2e/world.ts';
import { PATIENCE_MS } from './patience.ts';

const launcher = new URL('./trade-agent.mjs', import.meta.url).pathname;

/** How many times slower each process runs, by stopping it, as on a busy machine. */
const SLOWNESS = Number(process.env.CRASH_SLOWNESS ?? 1);
/** Milliseconds that a process runs in one go where it is slowed, and no more than. */
const LEAST_SPELL_MS = 20;
const LONGEST_SPELL_MS = 100;

/** How a process ended. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export type Program = ReturnType<typeof startProgram>;

/** Starts the program with a bare environment. `endless`: a server, which runs until it is ended. */
export function startProgram(args: readonly string[], env: NodeJS.ProcessEnv, options: { endless?: boolean } = {}) {
  const child = spawn(process.execPath, [launcher, ...args], {
    env: { PATH: process.env.PATH, XDG_CACHE_HOME: compiledCode('dist-failpoints'), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  if (SLOWNESS > 1) slow(child);
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString('utf8');
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString('utf8');
  });
  const ended = new Promise<Ended>((resolve, reject) => {
    const timer =
      options.endless === true
        ? undefined
        : setTimeout(() => {
            child.kill('SIGKILL');
            reject(new Error(`"${args.join(' ')}" did not end; it said:\n${stdout}${stderr}`));
          }, PATIENCE_MS);
    child.once('error', reject);
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ code, signal, stdout, stderr });
    });
  });
  // Looked at by whoever waits for it; a case that failed before must not end the whole run.
  ended.catch(() => undefined);
  return { child, ended, said: () => `${stdout}${stderr}` };
}

function slow(child: ChildProcess): void {
  let timer: NodeJS.Timeout;
  const run = (): void => {
    const spell = LEAST_SPELL_MS + Math.random() * (LONGEST_SPELL_MS - LEAST_SPELL_MS);
    child.kill('SIGCONT');
    timer = setTimeout(() => {
      child.kill('SIGSTOP');
      timer = setTimeout(run, spell * (SLOWNESS - 1));
    }, spell);
  };
  run();
  child.once('exit', () => clearTimeout(timer));
}
