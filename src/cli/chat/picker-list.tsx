import { Box, Text } from 'ink';
import type { Picker } from './chat-snapshot.ts';
import { inColor, useScreen, useTheme } from './screen.ts';
import { useScreenText } from './use-screen-text.ts';

/** A list of which one row is marked; at most `maxRows` rows of the terminal. */
export function PickerList({ picker, maxRows }: { picker: Picker; maxRows: number }) {
  const { unicode } = useScreen();
  const theme = useTheme();
  const shown = useScreenText();
  const most = Math.max(1, maxRows - 2);
  const from = Math.max(0, Math.min(picker.chosen - most + 1, picker.rows.length - most));
  return (
    <Box flexDirection="column">
      <Text bold>{shown(picker.title)}</Text>
      {picker.rows.slice(from, from + most).map((row, index) => {
        const chosen = from + index === picker.chosen;
        return (
          <Text key={row} wrap="truncate-end" bold={chosen} {...(chosen ? inColor(theme.accent) : {})}>
            {chosen ? (unicode ? '▸ ' : '> ') : '  '}
            {shown(row)}
          </Text>
        );
      })}
      <Text dimColor>Up and Down mark, Enter goes on, Esc leaves.</Text>
    </Box>
  );
}
