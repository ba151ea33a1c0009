import { Box, Text } from 'ink';
import { useScreen } from './screen.ts';

/** Black on white where colours may be used: cameras don't all read a light code on a dark ground. */
export function QrCode({ rows }: { rows: readonly string[] }) {
  const { color } = useScreen();
  return (
    <Box flexShrink={0}>
      <Text {...(color ? { color: 'black', backgroundColor: 'whiteBright' } : {})}>{rows.join('\n')}</Text>
    </Box>
  );
}
