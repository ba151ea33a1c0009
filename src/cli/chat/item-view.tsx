import { styleText } from 'node:util';
import { Box, Text } from 'ink';
import { formatSeconds } from '../run/run-renderer.ts';
import { type MarkdownStyle, renderTerminalMarkdown } from '../text/markdown.ts';
import { createPaint, paintSignedAmount } from '../text/theme.ts';
import type { ChatItem } from './chat-item.ts';
import { colorProps, useScreen, useScreenText, useTheme } from './screen.ts';

const bold: MarkdownStyle = { strong: (text) => styleText('bold', text, { validateStream: false }) };

export function useMarkdown(): (text: string) => string {
  const shown = useScreenText();
  const { columns, color, theme } = useScreen();
  const paint = createPaint(theme, color);
  const style: MarkdownStyle = { ...bold, signed: (text) => paintSignedAmount(paint, text) };
  return (text) => renderTerminalMarkdown(shown(text), columns, color ? style : undefined);
}

const signs = {
  prompt: ['❯ ', '> ', 'you: '],
  done: ['✓ ', '+ ', 'done: '],
  failed: ['✗ ', 'x ', 'failed: '],
  outcome: ['● ', '* ', ''],
} as const;

function useSign(): (name: keyof typeof signs) => string {
  const { unicode, spoken } = useScreen();
  return (name) => signs[name][spoken ? 2 : unicode ? 0 : 1];
}

export function ChatItemView({ item }: { item: ChatItem }) {
  const sign = useSign();
  const shown = useScreenText();
  const markdown = useMarkdown();
  const theme = useTheme();
  const talk = item.talk === undefined ? '' : `${item.talk} `;
  switch (item.type) {
    case 'prompt':
      return (
        <Box marginTop={1}>
          <Text bold>
            {talk}
            {sign('prompt')}
            {shown(item.text)}
          </Text>
        </Box>
      );
    case 'answer':
      return (
        <Box marginTop={item.continuesAnswer ? 0 : 1} flexDirection="column">
          {talk === '' || item.continuesAnswer ? null : <Text dimColor>{talk.trim()}</Text>}
          <Text>{markdown(item.text)}</Text>
        </Box>
      );
    case 'tool':
      return (
        <Text dimColor>
          {talk}
          {sign(item.ok ? 'done' : 'failed')}
          {shown(item.text)} ({formatSeconds(item.ms)})
        </Text>
      );
    case 'outcome':
      return (
        <Text {...colorProps(item.good ? theme.gain : theme.warn)}>
          {talk}
          {sign('outcome')}
          {shown(item.text)}
        </Text>
      );
    case 'note':
      return (
        <Text dimColor>
          {talk}
          {shown(item.text)}
        </Text>
      );
    case 'report':
      return (
        <Box marginTop={1}>
          {/* Reports have their own prefixes. */}
          <Text>{item.text}</Text>
        </Box>
      );
    case 'space':
      return <Box height={item.rows} />;
    case 'error':
      return (
        <Box flexDirection="column">
          <Text>
            {talk}
            <Text {...colorProps(theme.danger)} bold>
              error:
            </Text>{' '}
            {shown(item.text)}
          </Text>
          {item.hint === undefined ? null : (
            <Text>
              <Text bold>hint:</Text> {shown(item.hint)}
            </Text>
          )}
        </Box>
      );
  }
}
