import { Command } from 'commander';
import type { App } from '../../app/app.ts';
import { type ExitCode, exits } from '../../app/exit-codes.ts';
import { isTradeAgentError } from '../../errors/errors.ts';
import { commandWords } from '../options/flag-environment.ts';
import { type Example, exampleText, exitCodeText } from '../options/help.ts';
import type { Cli, GlobalOptions } from './cli.ts';
import type { Context } from './context.ts';
import { type Output, openOutput } from './output.ts';

/** How long a command told to stop may write down what is pending; then it is abandoned. */
const STOP_MS = 4000;

/** What serving needs of an {@link App}: no account, and no log file, because a server logs to stderr as it works. */
export type ServerParts = Pick<App, 'clock' | 'signal' | 'tell'>;

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

  /** Ends the help with these examples and the exit codes. */
  examples(...lines: readonly Example[]): this {
    return this.addHelpText(
      'after',
      () => exampleText(lines) + this.#section + exitCodeText(this.#exitCodes),
    );
  }

  /** A part of the help before the exit codes: each name with its meaning. */
  helpSection(title: string, meanings: Readonly<Record<string, string>>): this {
    const rows = Object.entries(meanings).map(([name, meaning]) => `  ${name.padEnd(28)} ${meaning}`);
    this.#section = `\n${title}:\n${rows.join('\n')}\n`;
    return this;
  }

  exits(...codes: readonly ExitCode[]): this {
    this.#exitCodes = codes;
    return this;
  }

  /** The command's work gets a context, the arguments, its own options and itself. */
  runs<Args extends unknown[]>(
    work: (context: Context, ...args: Args) => Promise<number> | Promise<void>,
  ): this {
    return this.action((...args: unknown[]) =>
      this.runInContext((context) => work(context, ...(args as Args))),
    );
  }

  /**
   * For a command that serves until it is told to stop (Ctrl-C, SIGTERM, its time limit): only the time limit has an
   * exit code of its own.
   */
  serves<Args extends unknown[]>(
    serve: (parts: ServerParts, output: Output, ...args: Args) => Promise<void>,
  ): this {
    return this.action(async (...args: unknown[]) => {
      const { io, clock, interruption } = this.cli;
      const { signal } = interruption;
      const output = await this.openOutput();
      await serve({ clock, signal, tell: (line) => io.talk(line) }, output, ...(args as Args));
      if (isTradeAgentError(signal.reason) && signal.reason.code === 'timeout')
        this.cli.exitCode = exits.timedOut;
    });
  }

  /**
   * Runs work with a context from the global options, closes that in any case, and keeps the exit code. Errors pass
   * through; `execute` reports them. @param tell takes lines about the work; stderr by default
   */
  async runInContext(
    work: (context: Context) => Promise<number> | Promise<void>,
    tell: (line: string) => void = (line) => this.cli.io.talk(line),
  ): Promise<void> {
    const { cli } = this;
    const globals = this.optsWithGlobals<GlobalOptions>();
    const output = await this.openOutput();
    const { startTrace } = await import('./trace.ts');
    const trace = startTrace(cli, globals, this.path());
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
      // Abandoned work may still use what closing would take away; the process ends anyway.
      if (!stopped.gaveUp()) await context.close();
      throw error;
    } finally {
      stopped.dispose();
    }
    await context.close();
  }

  /** Starts the time limit, and opens the output. @throws {TradeAgentError} `usage` */
  openOutput(): Promise<Output> {
    const globals = this.optsWithGlobals<GlobalOptions>();
    if (globals.timeout !== undefined) this.cli.interruption.limit(globals.timeout);
    return openOutput(this.cli.io, globals, this.path());
  }

  /** `phone login` */
  path(): string {
    return commandWords(this).join(' ');
  }
}

/** Rejects with the signal's reason if the work has not ended {@link STOP_MS} after it aborted. */
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
