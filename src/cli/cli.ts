import type { Command } from 'commander';
import type { Clock } from '../trading/clock.ts';
import type { Context } from './context.ts';
import type { Interruption } from './interruption.ts';
import type { Io } from './io.ts';
import type { OutputFormat } from './output.ts';

/** What the program is given by its surroundings; tests give it others. */
export interface Cli {
  readonly io: Io;
  readonly env: NodeJS.ProcessEnv;
  readonly clock: Clock;
  readonly fetch: typeof fetch;
  readonly interruption: Interruption;
  /** What the command that ran decided; `execute` returns it. */
  exitCode: number;
}

/** Options every command takes, before or after its name. */
export interface GlobalOptions {
  readonly profile?: string;
  readonly output: OutputFormat;
}

/**
 * Runs one command's work: builds its context from the global options, closes it whatever happens, and keeps the exit
 * code. Errors pass through; `execute` reports them.
 */
export async function runCommand(
  cli: Cli,
  command: Command,
  work: (context: Context) => Promise<number> | Promise<void>,
): Promise<void> {
  const { createContext } = await import('./context.ts');
  const context = createContext(cli, command.optsWithGlobals<GlobalOptions>());
  try {
    const exitCode = await work(context);
    cli.exitCode = typeof exitCode === 'number' ? exitCode : 0;
  } finally {
    await context.close();
  }
}
