import stringWidth from 'string-width';
import { type EditorState, splitGraphemes } from './line-editor.ts';

export function countWrappedRows(text: string, columns: number): number {
  return text.split('\n').reduce((rows, line) => rows + countLineRows(line, columns), 0);
}

function countLineRows(line: string, columns: number): number {
  return Math.max(1, Math.ceil(stringWidth(line) / Math.max(1, columns)));
}

/**
 * Returns as much of the end of the text as fits into `rows` wrapped rows. The number is limited because Ink redraws
 * the screen and clears the scrollback if the live part fills the terminal.
 */
export function lastRows(text: string, columns: number, rows: number): string {
  const lines = text.split('\n');
  const kept: string[] = [];
  let left = rows;
  for (const line of lines.reverse()) {
    const needed = countLineRows(line, columns);
    if (needed > left) {
      if (left > 0) kept.unshift(lastColumns(line, columns * left));
      break;
    }
    kept.unshift(line);
    left -= needed;
  }
  return kept.join('\n');
}

export function lastColumns(line: string, width: number): string {
  const segments = splitGraphemes(line);
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

/** A row of the input. `cursor` is an index in `parts`, or undefined if the cursor is in another row. */
export interface InputRow {
  readonly row: number;
  readonly parts: readonly string[];
  readonly cursor: number | undefined;
}

/** Returns the width of a character. At the end of a line, the cursor also takes a column. */
function characterWidth(part: string | undefined, hasCursor: boolean): number {
  if (part === undefined || part === '\n') return hasCursor ? 1 : 0;
  return Math.max(1, stringWidth(part));
}

/** Splits the input into rows of at most `width` columns, and returns up to `most` rows around the cursor. */
export function visibleInputRows(editor: EditorState, width: number, most: number): InputRow[] {
  const rows: { row: number; parts: string[]; cursor: number | undefined }[] = [
    { row: 0, parts: [], cursor: undefined },
  ];
  let taken = 0;
  const fresh = () => {
    taken = 0;
    rows.push({ row: rows.length, parts: [], cursor: undefined });
  };
  const all = [...splitGraphemes(editor.text), undefined];
  all.forEach((part, index) => {
    const here = index === editor.cursor;
    const size = characterWidth(part, here);
    if (taken + size > width && taken > 0) fresh();
    const row = rows.at(-1);
    if (row === undefined) return;
    if (here) row.cursor = row.parts.length;
    taken += size;
    if (part === '\n') fresh();
    else if (part !== undefined) row.parts.push(part);
  });
  const at = rows.findIndex(({ cursor }) => cursor !== undefined);
  const from = Math.max(0, Math.min(at - most + 1, rows.length - most));
  return rows.slice(from, from + most);
}
