import type { Command } from 'commander';
import type { App } from '../../app/app.ts';
import { exits } from '../../app/exit-codes.ts';
import { isTradeAgentError } from '../../errors/errors.ts';
import type { Cli, GlobalOptions } from './cli.ts';
import { type Output, openOutput } from './output.ts';
import { commandName } from './run-command.ts';

/** What serving needs of an {@link App}: no account, and no log file, since a server tells what it does as it does it. */
export type ServerParts = Pick<App, 'clock' | 'signal' | 'tell'>;

/**
 * Runs a command that serves until it is told to stop (Ctrl-C, SIGTERM, its time limit). To be stopped is how such a
 * command ends: only a time limit is told by the exit code.
 */
export async function runServer(
  cli: Cli,
  command: Command,
  serve: (parts: ServerParts, output: Output) => Promise<void>,
): Promise<void> {
  const globals = command.optsWithGlobals<GlobalOptions>();
  const { timeout } = globals;
  if (timeout !== undefined) cli.interruption.limit(timeout);
  const { signal } = cli.interruption;
  const tell = (line: string) => cli.io.talk(line);
  await serve({ clock: cli.clock, signal, tell }, await openOutput(cli.io, globals, commandName(command)));
  if (isTradeAgentError(signal.reason) && signal.reason.code === 'timeout') cli.exitCode = exits.timedOut;
}
