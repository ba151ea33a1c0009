import type { OutputStream } from './io.ts';

const COLUMNS = 80;
const ROWS = 24;

/**
 * A terminal that does not know its size (a serial line, a container) as 80 by 24. For a size of 0 Ink opens /dev/tty
 * for each frame, and never closes it.
 */
export function sizedTerminal<Stream extends OutputStream>(stdout: Stream): Stream {
  return new Proxy(stdout, {
    get(target, property) {
      if (property === 'columns') return target.columns || COLUMNS;
      if (property === 'rows') return target.rows || ROWS;
      const value: unknown = Reflect.get(target, property);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
