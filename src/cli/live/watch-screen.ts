import { TradeAgentError } from '../../errors/errors.ts';
import type { Context } from '../context/context.ts';
import { openLiveScreen } from '../terminal/live-screen.ts';

/**
 * Shows something live on the whole terminal until the person leaves it (exit 0) or it is interrupted.
 * @param follow calls `changed` to redraw, until `signal` aborts
 * @param draw the current lines
 * @throws {TradeAgentError} `usage` where there is no terminal
 */
export async function watchScreen(
  context: Context,
  follow: (parts: { readonly signal: AbortSignal; readonly changed: () => void }) => Promise<void>,
  draw: () => Promise<readonly string[]>,
): Promise<void> {
  const { io, clock, output } = context;
  if (!io.stdoutIsTty || !io.stdinIsTty || output.format !== 'text') {
    throw new TradeAgentError('usage', 'what goes on changing needs a terminal to be shown on', {
      hint: 'In a script, ask again: leave "--watch" out, or use "trade-agent quote".',
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
