import { type ChildProcess, spawn } from 'node:child_process';

const launcher = new URL('./trade-agent.mjs', import.meta.url).pathname;

/** Nothing a command does takes this long, a wait for the phone included. */
const LIMIT_MS = 90_000;

/** How a process ended. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** One process of the program built with failpoints. */
export interface Program {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** What it has said so far, for a report. */
  said(): string;
}

/** Starts the program with a bare environment. `endless`: a server, which runs until it is ended. */
export function startProgram(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  options: { endless?: boolean } = {},
): Program {
  const child = spawn(process.execPath, [launcher, ...args], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
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
          }, LIMIT_MS);
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
