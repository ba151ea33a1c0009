import { TradeAgentError } from '../../errors/errors.ts';
import type { Context } from '../context/context.ts';
import { openLiveScreen } from '../terminal/live-screen.ts';

/**
 * Shows live content on the whole terminal until the person quits (exit code 0) or the command is interrupted.
 * @param follow calls `changed` to redraw, until `signal` is aborted
 * @param draw returns the current lines
 * @throws {TradeAgentError} `usage` if there is no terminal
 */
export async function watchScreen(
  context: Context,
  follow: (parts: { readonly signal: AbortSignal; readonly changed: () => void }) => Promise<void>,
  draw: () => Promise<readonly string[]>,
): Promise<void> {
  const { io, clock, output } = context;
  if (!io.stdoutIsTty || !io.stdinIsTty || output.format !== 'text') {
    throw new TradeAgentError('usage', 'a live view needs a terminal', {
      hint: 'In a script, poll instead: leave out "--watch", or use "trade-agent quote".',
    });
  }
  const left = new AbortController();
  const signal = AbortSignal.any([context.signal, left.signal]);
  const end = () => left.abort();
  let drawing = false;
  let again = false;
  const changed = () => {
    if (drawing) {
      again = true;
      return;
    }
    drawing = true;
    void draw()
      .then((lines) => screen.show(lines), end)
      .finally(() => {
        drawing = false;
        if (again) {
          again = false;
          changed();
        }
      });
  };
  const screen = openLiveScreen({ stdout: io.stdout, stdin: io.stdin, clock, quit: end, resized: changed });
  try {
    await follow({ signal, changed });
  } finally {
    screen.close();
  }
  context.signal.throwIfAborted();
}
