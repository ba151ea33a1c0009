import { Box, Text } from 'ink';
import type { ChatStatus } from './chat-driver.ts';

/** The first lines of a chat: where one is, whose account it is, and whose money. */
export function Header({ status, version }: { status: ChatStatus; version: string }) {
  return (
    <Box flexDirection="column" marginBottom={1}>
      <Text>
        <Text bold>trade-agent</Text> {version}
      </Text>
      <Text>
        <Text bold>{moneyWord(status)}</Text> · {status.profile} · {status.user ?? 'not signed in'}
        {status.value === undefined ? '' : ` · ${status.value}`} · {status.model}
      </Text>
      <Text dimColor>/help shows what you can type. No order is placed without your phone.</Text>
    </Box>
  );
}

/** `PAPER (simulated)`, `PAPER` or `LIVE`: a word, so that it doesn't hang on colour. */
export function moneyWord(status: ChatStatus): string {
  return status.simulated ? `${status.environment} (simulated)` : status.environment;
}
