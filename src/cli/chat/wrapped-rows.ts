import stringWidth from 'string-width';

/** How many rows a text takes at this width. */
export function wrappedRows(text: string, columns: number): number {
  return text.split('\n').reduce((rows, line) => rows + rowsOf(line, columns), 0);
}

function rowsOf(line: string, columns: number): number {
  return Math.max(1, Math.ceil(stringWidth(line) / Math.max(1, columns)));
}

/**
 * The end of a text that fits into `rows` wrapped rows: for a live part as tall as the terminal Ink would rewrite the
 * screen and wipe the scrollback.
 */
export function lastRows(text: string, columns: number, rows: number): string {
  const lines = text.split('\n');
  const kept: string[] = [];
  let left = rows;
  for (const line of lines.reverse()) {
    const needed = rowsOf(line, columns);
    if (needed > left) {
      if (left > 0) kept.unshift(tail(line, columns * left));
      break;
    }
    kept.unshift(line);
    left -= needed;
  }
  return kept.join('\n');
}

/** The end of a line, at most `width` columns wide. */
export function tail(line: string, width: number): string {
  const segments = Array.from(new Intl.Segmenter().segment(line), ({ segment }) => segment);
  let taken = 0;
  let start = segments.length;
  while (start > 0) {
    const next = stringWidth(segments[start - 1] ?? '');
    if (taken + next > width) break;
    taken += next;
    start--;
  }
  return segments.slice(start).join('');
}
