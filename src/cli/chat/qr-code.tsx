import { Box, Text } from 'ink';
import { useScreen } from './screen.ts';

/** Renders black on white if color is allowed, because not all cameras read a light code on a dark background. */
export function QrCode({ rows }: { rows: readonly string[] }) {
  const { color } = useScreen();
  return (
    <Box flexShrink={0}>
      <Text {...(color ? { color: 'black', backgroundColor: 'whiteBright' } : {})}>{rows.join('\n')}</Text>
    </Box>
  );
}
