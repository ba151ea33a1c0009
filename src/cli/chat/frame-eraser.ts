import { stripVTControlCharacters } from 'node:util';
import stringWidth from 'string-width';
import type { OutputStream } from '../terminal/io.ts';

/** `CSI 2 K`, `CSI 1 A`: erase the line, go up one. */
const ERASE_LINE = '\u001b[2K';
const UP = '\u001b[1A';

/** Node asks the terminal itself; `columns` follows only once the signal of a change has arrived. */
type Measured = OutputStream & { getWindowSize?(): [columns: number, rows: number] };

/**
 * A terminal that grows narrower wraps the rows of the frame on it, so that it stands on more rows than Ink wrote, and
 * Ink erases too few: the upper part of an old frame would stay, such as an order's panel with an old countdown. This
 * stands between Ink and the terminal, remembers the last frame, and where Ink erases it, erases the additional rows
 * too.
 */
export function frameEraser(stdout: Measured, env: NodeJS.ProcessEnv): OutputStream {
  if (!wrapsAnew(env)) return stdout;
  let frame: readonly string[] = [];
  const write = (...args: Parameters<OutputStream['write']>) => {
    const [chunk] = args;
    const text = typeof chunk === 'string' ? chunk : '';
    const erases = text.includes(ERASE_LINE);
    if (erases) {
      const [columns, rows] = sizeOf(stdout);
      const more = Math.min(additionalRows(frame, columns), rows);
      if (more > 0) stdout.write((ERASE_LINE + UP).repeat(more));
    }
    const seen = stripVTControlCharacters(text);
    // The begin and the end of a synchronized update can't be seen, and change no frame.
    if (erases || seen !== '') frame = seen.split('\n');
    return stdout.write(...args);
  };
  return new Proxy(stdout, {
    get(target, property) {
      if (property === 'write') return write;
      const value: unknown = Reflect.get(target, property);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

function sizeOf(stdout: Measured): [columns: number, rows: number] {
  return stdout.getWindowSize?.() ?? [stdout.columns ?? 80, stdout.rows ?? 24];
}

/** Rows that lines need on so many columns beyond one each. */
function additionalRows(lines: readonly string[], columns: number): number {
  return lines.reduce((sum, line) => sum + Math.max(0, Math.ceil(stringWidth(line) / columns) - 1), 0);
}

/** Most terminals wrap what is on the screen anew; these cut it off instead, and nothing more may be erased. */
function wrapsAnew(env: NodeJS.ProcessEnv): boolean {
  if (env.TMUX !== undefined) return true;
  const { TERM = '' } = env;
  return env.XTERM_VERSION === undefined && !/^(linux|screen|rxvt|vt\d|dumb)/.test(TERM);
}
