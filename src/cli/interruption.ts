import { TradeAgentError } from '../trading/errors.ts';
import type { OutputStream } from './io.ts';

/** What ends a command from outside: Ctrl-C, a time limit, or a reader of our output that went away. */
export interface Interruption {
  readonly signal: AbortSignal;
  interrupt(reason: TradeAgentError): void;
  /** Ends the command after `ms` milliseconds. */
  limit(ms: number): void;
  /** True once stdout or stderr has no reader: nobody is left to tell. */
  readonly readerGone: boolean;
  dispose(): void;
}

/** A command that stops on a signal needs moments, to write down what is pending; one that doesn't is ended. */
const GRACE_MS = 5000;

export interface InterruptionParts {
  readonly on: (event: string, listener: () => void) => unknown;
  readonly off: (event: string, listener: () => void) => unknown;
  readonly exit: (code: number) => unknown;
  readonly streams: readonly OutputStream[];
}

export function createInterruption(parts: InterruptionParts): Interruption {
  const controller = new AbortController();
  const timers = new Set<NodeJS.Timeout>();
  let readerGone = false;

  const later = (ms: number, action: () => void) => {
    const timer = setTimeout(action, ms);
    timer.unref();
    timers.add(timer);
  };
  const interrupt = (reason: TradeAgentError) => {
    if (controller.signal.aborted) return;
    later(GRACE_MS, () => parts.exit(reason.code === 'timeout' ? 124 : 130));
    controller.abort(reason);
  };
  const onSignal = () => {
    // The second Ctrl-C: the person won't wait for a tidy end.
    if (controller.signal.aborted) parts.exit(130);
    interrupt(new TradeAgentError('interrupted', 'interrupted'));
  };
  const onStreamError = (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE' && error.code !== 'ERR_STREAM_DESTROYED') return;
    readerGone = true;
    interrupt(new TradeAgentError('interrupted', 'nobody reads the output any more'));
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  for (const name of signals) parts.on(name, onSignal);
  for (const stream of parts.streams) stream.on('error', onStreamError);

  return {
    signal: controller.signal,
    interrupt,
    limit: (ms) =>
      later(ms, () =>
        interrupt(
          new TradeAgentError('timeout', `not finished within ${describe(ms)}`, {
            hint: 'Give it more time with --timeout. What is pending stays pending.',
          }),
        ),
      ),
    get readerGone() {
      return readerGone;
    },
    dispose: () => {
      for (const name of signals) parts.off(name, onSignal);
      for (const stream of parts.streams) stream.off('error', onStreamError);
      for (const timer of timers) clearTimeout(timer);
    },
  };
}

function describe(ms: number): string {
  if (ms % 3_600_000 === 0) return `${ms / 3_600_000}h`;
  if (ms % 60_000 === 0) return `${ms / 60_000}m`;
  return ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`;
}
