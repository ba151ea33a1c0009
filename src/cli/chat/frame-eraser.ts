import { stripVTControlCharacters } from 'node:util';
import stringWidth from 'string-width';
import type { OutputStream } from '../terminal/io.ts';

/** `CSI 2 K`, `CSI 1 A`: erase the line, go up one. */
const ERASE_LINE = '\u001b[2K';
const UP = '\u001b[1A';

/** Node asks the terminal itself; `columns` changes only once the resize signal has arrived. */
type Measured = OutputStream & { getWindowSize?(): [columns: number, rows: number] };

/**
 * A terminal that becomes narrower wraps the frame's rows, so the frame takes more rows than Ink wrote and Ink erases
 * too few: part of an old frame would stay, such as an order's panel with an old countdown. This stands between Ink and
 * the terminal, remembers the last frame, and erases the additional rows as well.
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
    // The marks of a synchronized update are invisible, and change no frame.
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

/** Rows that these lines take on a narrower terminal, beyond one each. */
function additionalRows(lines: readonly string[], columns: number): number {
  return lines.reduce((sum, line) => sum + Math.max(0, Math.ceil(stringWidth(line) / columns) - 1), 0);
}

/** Most terminals reflow the screen; these cut it off instead, and nothing more may be erased. */
function wrapsAnew(env: NodeJS.ProcessEnv): boolean {
  if (env.TMUX !== undefined) return true;
  const { TERM = '' } = env;
  return env.XTERM_VERSION === undefined && !/^(linux|screen|rxvt|vt\d|dumb)/.test(TERM);
}
