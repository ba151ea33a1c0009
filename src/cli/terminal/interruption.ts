import { exitCodes } from '../../app/exit-codes.ts';
import { TradeAgentError } from '../../errors/errors.ts';
import type { OutputStream } from './io.ts';

export type Interruption = ReturnType<typeof createInterruption>;

/** Maximum time for an interrupted command to save its pending work before the process exits, in milliseconds. */
const EXIT_GRACE_MS = 5000;

/** Creates an abort signal for Ctrl-C, the time limit, and a closed output pipe. */
export function createInterruption(parts: {
  readonly on: (event: string, listener: () => void) => unknown;
  readonly off: (event: string, listener: () => void) => unknown;
  readonly exit: (code: number) => unknown;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
}) {
  const controller = new AbortController();
  const timers = new Set<NodeJS.Timeout>();
  let readerGone = false;
  let outputFailure: TradeAgentError | undefined;

  const later = (ms: number, action: () => void) => {
    const timer = setTimeout(action, ms);
    timer.unref();
    timers.add(timer);
  };
  const interrupt = (reason: TradeAgentError) => {
    if (controller.signal.aborted) return;
    later(EXIT_GRACE_MS, () => parts.exit(reason.code === 'timeout' ? exitCodes.timedOut : exitCodes.interrupted));
    controller.abort(reason);
  };
  const onSignal = () => {
    // The person pressed Ctrl-C twice and does not want to wait.
    if (controller.signal.aborted) parts.exit(exitCodes.interrupted);
    interrupt(new TradeAgentError('interrupted', 'interrupted'));
  };
  const onStreamError = (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE' && error.code !== 'ERR_STREAM_DESTROYED') return false;
    readerGone = true;
    interrupt(new TradeAgentError('interrupted', 'the output pipe was closed'));
    return true;
  };
  const onResultError = (error: NodeJS.ErrnoException) => {
    if (onStreamError(error)) return;
    outputFailure ??= new TradeAgentError('output_failed', `the result could not be written: ${error.message}`, {
      hint: 'The command may have taken effect. Check "trade-agent orders" and "trade-agent approvals".',
    });
    interrupt(outputFailure);
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  for (const name of signals) parts.on(name, onSignal);
  parts.stdout.on('error', onResultError);
  parts.stderr.on('error', onStreamError);

  return {
    signal: controller.signal,
    interrupt,
    limit: (ms: number) =>
      later(ms, () =>
        interrupt(
          new TradeAgentError('timeout', `did not finish within ${formatTimeout(ms)}`, {
            hint: 'Allow more time with --timeout. Pending approvals are kept.',
          }),
        ),
      ),
    /** Whether the reader of stdout or stderr has closed the pipe. If so, errors can't be shown. */
    get readerGone() {
      return readerGone;
    },
    /**
     * The error with which writing to stdout failed, for example because the disk is full. The command must report the
     * error, because otherwise a lost result would look like success.
     */
    get outputFailure() {
      return outputFailure;
    },
    dispose: () => {
      for (const name of signals) parts.off(name, onSignal);
      parts.stdout.off('error', onResultError);
      parts.stderr.off('error', onStreamError);
      for (const timer of timers) clearTimeout(timer);
    },
  };
}

function formatTimeout(ms: number): string {
  if (ms % 3_600_000 === 0) return `${ms / 3_600_000}h`;
  if (ms % 60_000 === 0) return `${ms / 60_000}m`;
  return ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`;
}
