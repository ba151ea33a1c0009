import { Text } from 'ink';
import stringWidth from 'string-width';
import { type EditorState, graphemes } from './line-editor.ts';
import { useScreen } from './screen.ts';
import { tail } from './wrapped-rows.ts';

/** The line being typed, on one row: where it is longer, the part around the cursor. */
export function InputLine({ editor, busy, hint }: { editor: EditorState; busy: boolean; hint: string }) {
  const { columns, unicode, color } = useScreen();
  const sign = unicode ? '❯ ' : '> ';
  const width = Math.max(4, columns - 4);
  const parts = graphemes(editor.text);
  const before = tail(parts.slice(0, editor.cursor).join(''), width - 1);
  const at = parts[editor.cursor] ?? ' ';
  const after = head(parts.slice(editor.cursor + 1), width - stringWidth(before) - stringWidth(at));
  return (
    <Text wrap="truncate-end">
      <Text dimColor={busy}>{sign}</Text>
      {before}
      {color ? <Text inverse>{at}</Text> : `_${at}`}
      {editor.text === '' ? <Text dimColor>{head(graphemes(hint), width - 2)}</Text> : after}
    </Text>
  );
}

function head(parts: readonly string[], width: number): string {
  let taken = 0;
  let text = '';
  for (const part of parts) {
    taken += stringWidth(part);
    if (taken > width) break;
    text += part;
  }
  return text;
}
