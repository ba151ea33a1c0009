import type { Command } from 'commander';
import type { Clock } from '../machine/clock.ts';
import type { Context } from './context.ts';
import type { OutputFormat } from './output.ts';
import type { Interruption } from './terminal/interruption.ts';
import type { Io } from './terminal/io.ts';

/** What the program is given by its surroundings; tests give it others. */
export interface Cli {
  readonly io: Io;
  readonly env: NodeJS.ProcessEnv;
  readonly clock: Clock;
  readonly fetch: typeof fetch;
  /** For addresses whose path may be a secret: the log has the host alone. `fetch` where nothing is logged. */
  readonly discreetFetch?: typeof fetch;
  readonly interruption: Interruption;
  /** What the command that ran decided; `execute` returns it. */
  exitCode: number;
}

/** Options every command takes, before or after its name. */
export interface GlobalOptions {
  readonly profile?: string;
  readonly output: OutputFormat;
  /** Milliseconds after which the command ends, whatever it waits for. */
  readonly timeout?: number;
  /** Tells on stderr what goes into the log file too. */
  readonly verbose?: boolean;
}

/** A command told to stop has this long to write down what is pending; then it is left behind. */
const STOP_MS = 4000;

/**
 * Runs one command's work: builds its context from the global options, closes it whatever happens, and keeps the exit
 * code. Errors pass through; `execute` reports them.
 */
export async function runCommand(
  cli: Cli,
  command: Command,
  work: (context: Context) => Promise<number> | Promise<void>,
): Promise<void> {
  const globals = command.optsWithGlobals<GlobalOptions>();
  if (globals.timeout !== undefined) cli.interruption.limit(globals.timeout);
  const { startTrace } = await import('./log/trace.ts');
  const trace = startTrace(cli, globals, commandName(command));
  const { createContext } = await import('./context.ts');
  const context = createContext({ ...cli, fetch: trace.fetch, discreetFetch: trace.discreetFetch }, globals);
  const working = work(context);
  const stopped = stopsLate(cli);
  try {
    const exitCode = await Promise.race([working, stopped.late]);
    cli.exitCode = typeof exitCode === 'number' ? exitCode : 0;
    trace.end(cli.exitCode);
  } catch (error) {
    trace.fail(error);
    // Work that goes on in spite of the signal may still use what closing takes away; the process ends anyway.
    if (stopped.gaveUp()) throw error;
    await context.close();
    throw error;
  } finally {
    stopped.dispose();
  }
  await context.close();
}

/** `phone login` */
function commandName(command: Command): string {
  const above = command.parent;
  return above === null || above.parent === null ? command.name() : `${commandName(above)} ${command.name()}`;
}

/** Rejects with the signal's reason where the work has not ended {@link STOP_MS} after it was told to. */
function stopsLate({ interruption: { signal } }: Cli) {
  let timer: NodeJS.Timeout | undefined;
  let gaveUp = false;
  let onAbort: () => void = () => undefined;
  const late = new Promise<never>((_, reject) => {
    onAbort = () => {
      timer = setTimeout(() => {
        gaveUp = true;
        reject(signal.reason);
      }, STOP_MS);
    };
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
  return {
    late,
    gaveUp: () => gaveUp,
    dispose: () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    },
  };
}
