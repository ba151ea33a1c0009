import type { Command } from 'commander';
import { exits } from '../../app/exit-codes.ts';
import type { Cli, GlobalOptions } from './cli.ts';
import type { Context } from './context.ts';
import { openOutput } from './output.ts';

/** A command told to stop has this long to write down what is pending; then it is left behind. */
const STOP_MS = 4000;

/**
 * Runs one command's work: builds its context from the global options, closes it whatever happens, and keeps the exit
 * code. Errors pass through; `execute` reports them.
 * @param tell where lines about the work go; to stderr unless said otherwise
 */
export async function runCommand(
  cli: Cli,
  command: Command,
  work: (context: Context) => Promise<number> | Promise<void>,
  tell: (line: string) => void = (line) => cli.io.talk(line),
): Promise<void> {
  const globals = command.optsWithGlobals<GlobalOptions>();
  if (globals.timeout !== undefined) cli.interruption.limit(globals.timeout);
  const output = await openOutput(cli.io, globals, commandName(command));
  const { startTrace } = await import('./trace.ts');
  const trace = startTrace(cli, globals, commandName(command));
  const { createContext } = await import('./context.ts');
  const traced = { ...cli, fetch: trace.fetch, discreetFetch: trace.discreetFetch };
  const context = createContext(traced, globals, output, tell);
  const working = work(context);
  const stopped = stopsLate(cli);
  try {
    const exitCode = await Promise.race([working, stopped.late]);
    cli.exitCode = typeof exitCode === 'number' ? exitCode : exits.done;
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
export function commandName(command: Command): string {
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
