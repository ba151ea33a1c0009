import type { OutputStream } from './io.ts';

const DEFAULT_COLUMNS = 80;
const DEFAULT_ROWS = 24;

/**
 * Returns a stream that reports 80 by 24 if the terminal's size is unknown (a serial line, a container). At a size of
 * 0, Ink would open /dev/tty for each frame and never close it.
 */
export function withDefaultSize<Stream extends OutputStream>(stdout: Stream): Stream {
  return new Proxy(stdout, {
    get(target, property) {
      if (property === 'columns') return target.columns || DEFAULT_COLUMNS;
      if (property === 'rows') return target.rows || DEFAULT_ROWS;
      const value: unknown = Reflect.get(target, property);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
