import type { Clock } from '../../machine/clock.ts';
import type { InputStream, OutputStream } from './io.ts';

/** Milliseconds between frames. Shorter intervals would flicker. */
const FRAME_INTERVAL_MS = 100;

const ENTER_SCREEN = '\u001b[?1049h\u001b[?25l';
const LEAVE_SCREEN = '\u001b[?25h\u001b[?1049l';
/** A synchronized update (mode 2026) shows only complete frames. Terminals without support ignore it. */
const BEGIN_UPDATE = '\u001b[?2026h';
const END_UPDATE = '\u001b[?2026l';
const CLEAR_LINE = '\u001b[K';

/**
 * Opens a full-screen display for changing content. Uses the alternate screen (like `less`), so that the scrollback
 * does not change.
 * @param parts.quit called when `q`, Esc or Ctrl-C is pressed
 */
export function openLiveScreen(parts: {
  readonly stdout: OutputStream;
  readonly stdin: InputStream;
  readonly clock: Clock;
  readonly quit: () => void;
  readonly resized: () => void;
}) {
  const { stdout, stdin, clock, quit } = parts;
  let shown: readonly string[] = [];
  let wanted: readonly string[] | undefined;
  let writtenAt = Number.NEGATIVE_INFINITY;
  const closed = new AbortController();

  const write = () => {
    if (wanted === undefined || closed.signal.aborted) return;
    const lines = wanted.slice(0, stdout.rows ?? 24);
    wanted = undefined;
    const change = frameDiff(shown, lines);
    shown = lines;
    if (change === '') return;
    writtenAt = clock.now();
    stdout.write(BEGIN_UPDATE + change + END_UPDATE);
  };
  const onKey = (chunk: Buffer | string) => {
    const keys = chunk.toString();
    if (keys === '\u001b' || /[q\u0003\u0004]/i.test(keys.replace(/\u001b\[[\d;?]*[A-Za-z~]/g, ''))) quit();
  };
  const onResize = () => {
    shown = [];
    stdout.write('\u001b[2J');
    parts.resized();
  };
  stdout.write(ENTER_SCREEN);
  stdin.setRawMode?.(true);
  stdin.on('data', onKey);
  stdin.resume();
  stdout.on('resize', onResize);
  return {
    show(lines: readonly string[]) {
      const waits = wanted !== undefined;
      wanted = lines;
      if (waits) return;
      const left = writtenAt + FRAME_INTERVAL_MS - clock.now();
      if (left <= 0) write();
      else clock.sleep(left, closed.signal).then(write, () => undefined);
    },
    close() {
      if (closed.signal.aborted) return;
      closed.abort();
      stdout.off('resize', onResize);
      stdin.off('data', onKey);
      stdin.setRawMode?.(false);
      stdin.pause();
      stdout.write(LEAVE_SCREEN);
    },
  };
}

export function frameDiff(before: readonly string[], after: readonly string[]): string {
  const rows = Math.max(before.length, after.length);
  let text = '';
  for (let row = 0; row < rows; row++) {
    const line = after[row] ?? '';
    if (row < before.length && before[row] === line) continue;
    text += `\u001b[${row + 1};1H${line}${CLEAR_LINE}`;
  }
  return text;
}
