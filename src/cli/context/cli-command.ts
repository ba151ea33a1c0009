import { Command } from 'commander';
import type { App } from '../../app/app.ts';
import { type ExitCode, exitCodes } from '../../app/exit-codes.ts';
import type { ServerLog } from '../../app/gateway/server-log.ts';
import { isTradeAgentError } from '../../errors/errors.ts';
import { commandWords } from '../options/flag-environment.ts';
import { type CommandExample, exampleText, exitCodeText } from '../options/help.ts';
import type { Cli, GlobalOptions } from './cli.ts';
import type { Context } from './context.ts';
import { type Output, openOutput } from './output.ts';

/** Maximum time for an interrupted command to save its pending work, in milliseconds. */
const STOP_TIMEOUT_MS = 4000;

/** The parts of an {@link App} that a server needs. A server has no account, and logs to stderr instead of a file. */
export type ServingContext = Pick<App, 'clock' | 'signal' | 'tell'> & { readonly log: ServerLog };

export class CliCommand extends Command {
  readonly cli: Cli;
  #section = '';
  #exitCodes: readonly ExitCode[] = [];

  constructor(name: string | undefined, cli: Cli) {
    super(name);
    this.cli = cli;
  }

  override createCommand(name?: string): CliCommand {
    return new CliCommand(name, this.cli);
  }

  /** Appends examples and the exit codes to the help. */
  examples(...lines: readonly CommandExample[]): this {
    return this.addHelpText('after', () => exampleText(lines) + this.#section + exitCodeText(this.#exitCodes));
  }

  /** Adds a section of names and their meanings to the help, before the exit codes. */
  helpSection(title: string, meanings: Readonly<Record<string, string>>): this {
    const rows = Object.entries(meanings).map(([name, meaning]) => `  ${name.padEnd(28)} ${meaning}`);
    this.#section = `\n${title}:\n${rows.join('\n')}\n`;
    return this;
  }

  exits(...codes: readonly ExitCode[]): this {
    this.#exitCodes = codes;
    return this;
  }

  /** Sets the action, which is called with a context, the arguments, the options, and the command. */
  runs<Args extends unknown[]>(work: (context: Context, ...args: Args) => Promise<number> | Promise<void>): this {
    return this.action((...args: unknown[]) => this.runInContext((context) => work(context, ...(args as Args))));
  }

  /** Sets the action of a command that runs until it is stopped. A stop is a success, unless by the time limit. */
  serves<Args extends unknown[]>(serve: (parts: ServingContext, output: Output, ...args: Args) => Promise<void>): this {
    return this.action(async (...args: unknown[]) => {
      const { io, clock, interruption } = this.cli;
      const { signal } = interruption;
      const output = await this.openOutput();
      const { ServerLog } = await import('../../app/gateway/server-log.ts');
      const { logFormat: format = io.stderrIsTty ? 'text' : 'json' } = this.opts<{ logFormat?: 'text' | 'json' }>();
      const tell = (line: string) => io.talk(line);
      const log = new ServerLog({ process: commandWords(this)[0] ?? '', format, write: tell, clock });
      await serve({ clock, signal, tell, log }, output, ...(args as Args));
      if (isTradeAgentError(signal.reason) && signal.reason.code === 'timeout') this.cli.exitCode = exitCodes.timedOut;
    });
  }

  /**
   * Runs work with a context based on the global options, closes the context, and stores the exit code. Rethrows
   * errors, so that `runCommandLine` reports them.
   * @param tell receives progress lines (default: writes them to stderr)
   */
  async runInContext(
    work: (context: Context) => Promise<number> | Promise<void>,
    tell: (line: string) => void = (line) => this.cli.io.talk(line),
  ): Promise<void> {
    const { cli } = this;
    const globals = this.optsWithGlobals<GlobalOptions>();
    const output = await this.openOutput();
    const { startLogging } = await import('./trace.ts');
    const trace = startLogging(cli, globals, this.path());
    const { createContext } = await import('./context.ts');
    const traced = { ...cli, fetch: trace.fetch, redactedFetch: trace.redactedFetch };
    const context = createContext(traced, globals, output, tell);
    const working = work(context);
    const stopped = stopDeadline(cli);
    try {
      const exitCode = await Promise.race([working, stopped.late]);
      cli.exitCode = typeof exitCode === 'number' ? exitCode : exitCodes.done;
      trace.end(cli.exitCode);
    } catch (error) {
      trace.fail(error);
      // Leaves the context of abandoned work open, because the work may still use it and the process ends anyway.
      if (!stopped.gaveUp()) await context.close();
      throw error;
    } finally {
      stopped.dispose();
    }
    await context.close();
  }

  /** Starts the time limit and opens the output. @throws {TradeAgentError} `usage` */
  openOutput(): Promise<Output> {
    const globals = this.optsWithGlobals<GlobalOptions>();
    if (globals.timeout !== undefined) this.cli.interruption.limit(globals.timeout);
    return openOutput(this.cli.io, globals, this.path());
  }

  /** Returns the command's full name, such as `phone login`. */
  path(): string {
    return commandWords(this).join(' ');
  }
}

/**
 * Returns a promise that rejects with the signal's reason {@link STOP_TIMEOUT_MS} after the signal is aborted, unless
 * disposed earlier.
 */
function stopDeadline({ interruption: { signal } }: Cli) {
  let timer: NodeJS.Timeout | undefined;
  let gaveUp = false;
  let onAbort: () => void = () => undefined;
  const late = new Promise<never>((_, reject) => {
    onAbort = () => {
      timer = setTimeout(() => {
        gaveUp = true;
        reject(signal.reason);
      }, STOP_TIMEOUT_MS);
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
