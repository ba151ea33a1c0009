import stringWidth from 'string-width';
import { type EditorState, graphemes } from './line-editor.ts';

/** One row of the input; `cursor` is the cursor's index in `parts` if it is in this row. */
export interface InputRow {
  readonly row: number;
  readonly parts: readonly string[];
  readonly cursor: number | undefined;
}

/** The input in rows of at most `width` columns; if there are more than `most`, those around the cursor. */
export function inputRows(editor: EditorState, width: number, most: number): InputRow[] {
  const rows: { row: number; parts: string[]; cursor: number | undefined }[] = [
    { row: 0, parts: [], cursor: undefined },
  ];
  let taken = 0;
  const fresh = () => {
    taken = 0;
    rows.push({ row: rows.length, parts: [], cursor: undefined });
  };
  const all = [...graphemes(editor.text), undefined];
  all.forEach((part, index) => {
    const here = index === editor.cursor;
    // The cursor needs a character to stand on, also at a line's end.
    const size = part === undefined || part === '\n' ? (here ? 1 : 0) : Math.max(1, stringWidth(part));
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
