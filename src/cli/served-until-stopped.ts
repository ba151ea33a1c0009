import { once } from 'node:events';
import { exits } from '../app/exit-codes.ts';
import { isTradeAgentError } from '../trading/errors.ts';
import type { Cli } from './cli.ts';

/**
 * Waits until the command is told to stop (Ctrl-C, SIGTERM, its time limit) or `done` resolves, and closes what it
 * serves. To be stopped is how such a command ends: only a time limit is told by the exit code.
 */
export async function servedUntilStopped(
  cli: Pick<Cli, 'interruption' | 'exitCode'>,
  close: () => Promise<void>,
  done?: Promise<void>,
): Promise<void> {
  const { signal } = cli.interruption;
  try {
    await Promise.race([
      signal.aborted ? undefined : once(signal, 'abort'),
      ...(done === undefined ? [] : [done]),
    ]);
  } finally {
    await close();
    const { reason } = signal;
    if (isTradeAgentError(reason) && reason.code === 'timeout') cli.exitCode = exits.timedOut;
  }
}
