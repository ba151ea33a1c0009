import type { RunStatus } from '../../schedule/run-record.ts';
import { type ExitCode, exits } from '../exit-codes.ts';

const byExitCode: Readonly<Partial<Record<ExitCode, RunStatus>>> = {
  [exits.done]: 'clear',
  [exits.found]: 'found',
  [exits.pending]: 'pending',
  [exits.denied]: 'denied',
  [exits.expired]: 'expired',
  [exits.blocked]: 'blocked',
  [exits.marketClosed]: 'market_closed',
  [exits.unknown]: 'unknown',
  [exits.busy]: 'busy',
  [exits.timedOut]: 'timed_out',
  [exits.interrupted]: 'interrupted',
};

/** The status of a run that ended with an exit code. */
export function statusOf(exitCode: ExitCode): RunStatus {
  return byExitCode[exitCode] ?? 'failed';
}

const triedAgain: readonly ExitCode[] = [
  exits.failed,
  exits.credentialStore,
  exits.busy,
  exits.timedOut,
  exits.interrupted,
];

/**
 * Whether the next wake-up tries the same moment again. What a person has to put right first (wrong rules, no login)
 * is not tried again, and what became of an order is a result.
 */
export function isTriedAgain(exitCode: ExitCode): boolean {
  return triedAgain.includes(exitCode);
}
