import { Box, Text } from 'ink';
import { seconds } from '../run-renderer.ts';
import { terminalMarkdown } from '../text/markdown.ts';
import type { ChatItem } from './chat-state.ts';
import { useScreen } from './screen.ts';

/** One finished item, as it stays in the scrollback. */
export function ItemView({ item }: { item: ChatItem }) {
  const { columns, unicode } = useScreen();
  switch (item.type) {
    case 'prompt':
      return (
        <Box marginTop={1}>
          <Text bold>
            {unicode ? '❯' : '>'} {item.text}
          </Text>
        </Box>
      );
    case 'answer':
      return (
        <Box marginTop={1}>
          <Text>{terminalMarkdown(item.text, columns)}</Text>
        </Box>
      );
    case 'tool':
      return (
        <Text dimColor>
          {item.ok ? (unicode ? '✓' : '+') : unicode ? '✗' : 'x'} {item.text} ({seconds(item.ms)})
        </Text>
      );
    case 'outcome':
      return (
        <Text color={item.good ? 'green' : 'yellow'}>
          {unicode ? '●' : '*'} {item.text}
        </Text>
      );
    case 'note':
      return <Text dimColor>{item.text}</Text>;
    case 'report':
      return (
        <Box marginTop={1}>
          <Text>{item.text}</Text>
        </Box>
      );
    case 'error':
      return (
        <Box flexDirection="column">
          <Text>
            <Text color="red" bold>
              error:
            </Text>{' '}
            {item.text}
          </Text>
          {item.hint === undefined ? null : (
            <Text>
              <Text bold>hint:</Text> {item.hint}
            </Text>
          )}
        </Box>
      );
  }
}
