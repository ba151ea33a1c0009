import { Box, Text } from 'ink';
import type { ChatStatus } from './chat-driver.ts';
import { inColor, useScreen, useTheme } from './screen.ts';
import { useScreenText } from './use-screen-text.ts';

/** The first lines of a chat: where one is, whose account it is, and whose money. */
export function Header({ status, version }: { status: ChatStatus; version: string }) {
  const shown = useScreenText();
  const { unicode } = useScreen();
  const facts = [
    ...(status.withheld === undefined ? [] : [status.withheld]),
    status.profile,
    status.user ?? 'not signed in',
    ...(status.value === undefined ? [] : [status.value]),
    status.model,
  ];
  return (
    <Box flexDirection="column">
      <Text>
        <Text bold>trade-agent</Text> {version}
      </Text>
      <Text>
        <MoneyWord status={status} />
        {shown(` · ${facts.join(' · ')}`)}
      </Text>
      <Text dimColor={unicode}>/help shows what you can type. No order is placed without your phone.</Text>
    </Box>
  );
}

/** Whose money: told by a word, and for real money by its form and colour as well. */
export function MoneyWord({ status }: { status: ChatStatus }) {
  const theme = useTheme();
  return isLive(status) ? (
    <Text bold inverse {...inColor(theme.danger)}>
      {` ${moneyWord(status)} `}
    </Text>
  ) : (
    <Text bold>{moneyWord(status)}</Text>
  );
}

export function isLive(status: ChatStatus): boolean {
  return status.environment === 'LIVE' && !status.simulated;
}

/** `PAPER (simulated)`, `PAPER` or `LIVE: REAL MONEY`: words, so that it doesn't hang on colour. */
export function moneyWord(status: ChatStatus): string {
  if (status.simulated) return `${status.environment} (simulated)`;
  return isLive(status) ? 'LIVE: REAL MONEY' : status.environment;
}
