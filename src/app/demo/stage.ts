import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { TradeAgentError } from '../../errors/errors.ts';
import { launcher } from '../launcher.ts';

/** Without a person at the terminal, every single step must be over well within this. */
export const STEP_LIMIT_MS = 20_000;

/** What is seen of the commands: what somebody types, and each line that is printed. */
export type PlayedLine =
  | { readonly type: 'command'; readonly who: 'you' | 'phone'; readonly args: readonly string[] }
  | { readonly type: 'line'; readonly text: string };

/** A process whose talk only matters when it fails. */
export interface Background {
  ended(): boolean;
  lastLine(): string;
}

/** A command that everyone watches. */
export interface Played {
  /** The first text it prints that matches. @throws {TradeAgentError} where it ends or takes too long before that */
  line(pattern: RegExp): Promise<string>;
  /** What a terminal does to it that is closed. */
  hangUp(): void;
  /** @throws {TradeAgentError} where it takes too long */
  ended(): Promise<unknown>;
  /** @throws {TradeAgentError} where it fails, or takes too long */
  done(): Promise<void>;
}

/** Runs commands for everyone to see, and ends whatever still runs when the demo does. */
export interface Stage {
  background(args: readonly string[]): Background;
  /** Starts a command and shows its lines as they come. */
  start(args: readonly string[], who?: 'you' | 'phone'): Played;
  /** Hands the terminal over to the chat, until that ends. */
  chat(): Promise<void>;
  stop(): Promise<void>;
}

export function createStage(show: (line: PlayedLine) => void, env: NodeJS.ProcessEnv): Stage {
  const running = new Set<ChildProcess>();
  const run = (args: readonly string[], stdio: NonNullable<SpawnOptions['stdio']>): ChildProcess => {
    const child = spawn(process.execPath, [launcher(), ...args], { stdio, env });
    running.add(child);
    child.once('close', () => running.delete(child));
    return child;
  };
  return {
    background(args) {
      const child = run(args, ['ignore', 'ignore', 'pipe']);
      let said = '';
      child.stderr?.on('data', (chunk: Buffer) => {
        said = (said + chunk.toString('utf8')).slice(-2000);
      });
      return { ended: () => child.exitCode !== null, lastLine: () => said.trim().split('\n').at(-1) ?? '' };
    },
    start(args, who = 'you') {
      show({ type: 'command', who, args });
      return played(run(args, ['ignore', 'pipe', 'pipe']), args.join(' '), show);
    },
    async chat() {
      const child = run([], 'inherit');
      await new Promise((resolve) => child.once('close', resolve));
    },
    async stop() {
      await Promise.all(
        [...running].map(
          (child) =>
            new Promise((resolve) => {
              child.once('close', resolve);
              child.kill('SIGTERM');
            }),
        ),
      );
    },
  };
}

function played(child: ChildProcess, name: string, show: (line: PlayedLine) => void): Played {
  const seen: string[] = [];
  const waiting = new Set<() => void>();
  let rest = '';
  const onData = (chunk: Buffer) => {
    const lines = (rest + chunk.toString('utf8')).split('\n');
    rest = lines.pop() ?? '';
    for (const text of lines) {
      seen.push(text);
      show({ type: 'line', text });
    }
    for (const check of waiting) check();
  };
  child.stdout?.on('data', onData);
  child.stderr?.on('data', onData);
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  return {
    hangUp: () => child.kill('SIGHUP'),
    ended: () => within(ended, name),
    line: (pattern) =>
      within(
        new Promise<string>((resolve, reject) => {
          const check = () => {
            const match = [...seen, rest]
              .map((line) => pattern.exec(line)?.[0])
              .find((text) => text !== undefined);
            if (match !== undefined) resolve(match);
          };
          waiting.add(check);
          check();
          void ended.then((code) =>
            reject(new TradeAgentError('internal', `"trade-agent ${name}" ended early (${code})`)),
          );
        }),
        name,
      ),
    done: () =>
      within(
        ended.then((code) => {
          if (code !== 0)
            throw new TradeAgentError('internal', `"trade-agent ${name}" ended with exit code ${code}`);
        }),
        name,
      ),
  };
}

function within<T>(promise: Promise<T>, name: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new TradeAgentError('timeout', `"trade-agent ${name}" took too long`)),
      STEP_LIMIT_MS,
    );
    promise.finally(() => clearTimeout(timer)).then(resolve, reject);
  });
}
