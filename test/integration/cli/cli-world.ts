import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll } from 'vitest';
import { runCommandLine } from '../../../src/cli/program.ts';
import { createInterruption } from '../../../src/cli/terminal/interruption.ts';
import { type Clock, systemClock } from '../../../src/machine/clock.ts';
import { type Sandbox, type SandboxOptions, startSandbox } from '../../../src/sandbox/sandbox.ts';
import { late } from '../../late.ts';
import { asHere } from '../../shipped/modules.ts';
import { fakeTerminal } from '../../unit/cli/fake-terminal.ts';
import { hastyClock } from '../hasty-clock.ts';

export interface CommandOptions {
  readonly stdin?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Whether its streams are a terminal. */
  readonly tty?: boolean;
  /** What it waits by; the system's unless said. */
  readonly clock?: Clock;
}

export interface CommandResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export type Json = ReturnType<typeof JSON.parse>;

/** A result: the last line of what was printed. */
export const json = (text: string): Json => JSON.parse(text.trim().split('\n').at(-1) ?? '');

/** A command under way in this process. */
export interface RunningCommand {
  readonly done: Promise<CommandResult>;
  /** Resolves with the first match in what it wrote to either stream. */
  says(pattern: RegExp): Promise<string>;
  type(text: string): void;
  /** As Ctrl-C does. */
  interrupt(): void;
}

/** A sandbox, an agent's home, and the command line on them. */
export interface CliWorld {
  readonly sandbox: Sandbox;
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
  start(args: readonly string[], options?: CommandOptions): RunningCommand;
  run(args: readonly string[], options?: CommandOptions): Promise<CommandResult>;
  /** Runs with `--output json`; `body` is the result. */
  json(...args: readonly string[]): Promise<CommandResult & { readonly body: Json }>;
  /** Decides what waits for the terminal phone, and returns what that printed. */
  decide(decision: 'approve' | 'deny', within?: string): Promise<Json>;
  /** The program as a process of its own, from its source. Its standard input stays open. */
  spawn(args: readonly string[]): ChildProcessWithoutNullStreams;
  /** @param args of the profile that is signed in to */
  login(user?: string, args?: readonly string[]): Promise<void>;
  /** How many orders the broker ever took. */
  ordersAtBroker(): number;
  close(): Promise<void>;
}

/** Options of the sandbox, except its home and ports. */
type Options = Pick<
  SandboxOptions,
  'marketHours' | 'marketClock' | 'marketData' | 'stories' | 'clock' | 'credentials' | 'secondAccounts' | 'servers'
> & {
  /** Whether sandbox and commands wait by {@link hastyClock}; `--timeout` is not affected. */
  readonly hasty?: boolean;
};

/** The world of a test file or a `describe` block: made before its tests, with alice signed in, and closed after them. */
export function suiteCliWorld({ login = true, ...options }: Options & { readonly login?: boolean } = {}): CliWorld {
  let world: CliWorld | undefined;
  beforeAll(async () => {
    world = await openCliWorld(options);
    if (login) await world.login();
  });
  afterAll(() => world?.close());
  return late(() => world);
}

export async function openCliWorld({ hasty = false, ...options }: Options = {}): Promise<CliWorld> {
  const clock = hasty ? hastyClock() : systemClock;
  const folder = mkdtempSync(join(tmpdir(), 'trade-agent-cli-'));
  const readyFile = join(folder, 'ready.json');
  const sandbox = await startSandbox({
    home: join(folder, 'sandbox'),
    port: 0,
    readyFile,
    partialFills: false,
    ...(hasty && { clock }),
    ...options,
  });
  const env: NodeJS.ProcessEnv = {
    PATH: process.env.PATH,
    TRADE_AGENT_HOME: join(folder, 'agent'),
    TRADE_AGENT_SANDBOX: readyFile,
  };
  const children = new Set<ChildProcessWithoutNullStreams>();

  const world: CliWorld = {
    sandbox,
    folder,
    env,
    start: (args, options = {}) => startHere(args, { ...env, ...options.env }, { clock, ...options }),
    run: (args, options) => world.start(args, options).done,
    json: async (...args) => {
      const ended = await world.run([...args, '--output', 'json']);
      if (ended.stdout === '') throw new Error(ended.stderr);
      return { ...ended, body: json(ended.stdout) };
    },
    decide: async (decision, within = '20s') =>
      (await world.json('phone', '--decide', decision, '--once', '--timeout', within)).body,
    spawn: (args) => {
      const main = fileURLToPath(new URL('../../../src/cli/start/main.ts', import.meta.url));
      const code = 'import(process.argv[1]).then((program) => program.main(process.argv.slice(2)))';
      const child = spawn(process.execPath, [...asHere, '--input-type=module', '-e', code, '--', main, ...args], {
        env,
      });
      children.add(child);
      child.once('close', () => children.delete(child));
      return child;
    },
    login: async (user = 'alice', args = []) => {
      const login = world.start(['login', ...args]);
      const code = await login.says(/\b[A-Z0-9]{4}-[A-Z0-9]{4}\b/);
      const confirmed = await world.run(['phone', 'login', code, '--user', user]);
      const { exitCode, stderr } = await login.done;
      if (confirmed.exitCode !== 0 || exitCode !== 0) throw new Error(`login failed: ${confirmed.stderr}${stderr}`);
    },
    ordersAtBroker: () => sandbox.broker.book().length,
    close: async () => {
      for (const child of children) child.kill('SIGKILL');
      await sandbox.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return world;
}

/** Starts a command in this process. */
export function startHere(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  options: Omit<CommandOptions, 'env'> & { readonly open?: boolean } = {},
): RunningCommand {
  const { stdin = '', tty = false, clock = systemClock } = options;
  const terminal = fakeTerminal({ env, tty });
  const signals = new EventEmitter();
  const interruption = createInterruption({
    on: (event, listener) => signals.on(event, listener),
    off: (event, listener) => signals.off(event, listener),
    exit: () => undefined,
    stdout: terminal.io.stdout,
    stderr: terminal.io.stderr,
  });
  if (options.open !== true) terminal.stdin.end(stdin);
  const done = runCommandLine(args, {
    io: terminal.io,
    env,
    clock,
    fetch: globalThis.fetch,
    interruption,
    exitCode: 0,
  }).then((exitCode) => {
    interruption.dispose();
    return { exitCode, stdout: terminal.stdout(), stderr: terminal.stderr() };
  });
  return {
    done,
    type: (text) => terminal.stdin.write(text),
    interrupt: () => signals.emit('SIGINT'),
    says: (pattern) =>
      new Promise((resolve, reject) => {
        const check = () => {
          const found = pattern.exec(terminal.stdout() + terminal.stderr())?.[0];
          if (found !== undefined) resolve(found);
        };
        terminal.io.stdout.on('data', check);
        terminal.io.stderr.on('data', check);
        check();
        done.then(
          ({ exitCode, stderr }) => reject(new Error(`ended with ${exitCode} before it said ${pattern}: ${stderr}`)),
          reject,
        );
      }),
  };
}

/** Collects what a child writes, until it ends. */
export async function outcomeOf(child: ChildProcessWithoutNullStreams): Promise<CommandResult> {
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString('utf8');
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString('utf8');
  });
  const [exitCode] = await once(child, 'close');
  return { exitCode, stdout, stderr };
}
