import { Box, Text } from 'ink';
import { useScreen, useScreenText } from './screen.ts';
import { completions } from './slash-commands.ts';
import { type InputRow, tail } from './wrapped-rows.ts';

export function InputBox(props: {
  rows: readonly InputRow[];
  busy: boolean;
  hint: string;
  noMatch: string | undefined;
}) {
  const { rows, busy, hint, noMatch } = props;
  const shown = useScreenText();
  const { unicode, columns, color } = useScreen();
  // Without color only a blank separates it from what is typed.
  const suggestion = `${color ? '' : ' '}${hint}`;
  const sign = unicode ? '❯ ' : '> ';
  const empty = rows.length === 1 && rows[0]?.parts.length === 0;
  return (
    <Box flexDirection="column">
      {rows.map((row, index) => (
        <Text key={row.row} wrap="truncate-end">
          <Text dimColor={busy}>{row.row === 0 ? sign : '  '}</Text>
          <RowText row={row} />
          {noMatch !== undefined && index === rows.length - 1 ? (
            <Text dimColor>{noMatchText(shown(noMatch))}</Text>
          ) : empty ? (
            <Text dimColor>{tail(suggestion, Math.max(1, columns - 4))}</Text>
          ) : null}
        </Text>
      ))}
    </Box>
  );
}

function noMatchText(wanted: string): string {
  return wanted === '' ? ' (nothing older)' : ` (nothing older has "${wanted}")`;
}

function RowText({ row }: { row: InputRow }) {
  const { color, spoken } = useScreen();
  const { parts, cursor } = row;
  if (cursor === undefined || spoken) return <>{parts.join('')}</>;
  const before = parts.slice(0, cursor).join('');
  const at = parts[cursor] ?? ' ';
  const after = parts.slice(cursor + 1).join('');
  return (
    <>
      {before}
      {color ? <Text inverse>{at}</Text> : <Text underline>{at === ' ' ? '_' : at}</Text>}
      {after}
    </>
  );
}

/** The commands that the input may become; at most `most` rows, around the chosen one. */
export function CompletionList(props: { text: string; chosen: number; most: number }) {
  const { unicode, spoken } = useScreen();
  const found = completions(props.text);
  const from = Math.max(0, Math.min(props.chosen - props.most + 1, found.length - props.most));
  return (
    <Box flexDirection="column">
      {found.slice(from, from + props.most).map(({ name, args, what }, index) => {
        const chosen = from + index === props.chosen;
        const sign = chosen ? (unicode ? '▸ ' : '> ') : '  ';
        return (
          <Text key={name} wrap="truncate-end" bold={chosen} dimColor={!chosen}>
            {spoken ? '' : sign}
            {`/${name} ${args}`.padEnd(24)} {what}
          </Text>
        );
      })}
    </Box>
  );
}
