import { Text } from 'ink';
import type { ChatStatus } from './chat-driver.ts';
import { moneyWord } from './header.tsx';

/** The lowest row: whose money, whose account, what it is worth, and what the keys do now. */
export function StatusLine({ status, keys }: { status: ChatStatus; keys: string }) {
  const parts = [
    moneyWord(status),
    status.user ?? 'not signed in',
    ...(status.value === undefined ? [] : [status.value]),
    keys,
  ];
  return (
    <Text wrap="truncate-end" dimColor>
      {parts.join(' · ')}
    </Text>
  );
}
