import { Text } from 'ink';
import type { ChatStatus } from './chat-driver.ts';
import { MoneyWord } from './header.tsx';
import { useScreenText } from './use-screen-text.ts';

/** The lowest row: whose money, whose account, what waits, what it is worth, and what the keys do now. */
export function StatusLine(props: {
  status: ChatStatus;
  waiting: number;
  keys: string;
  /** The keys come first: on a narrow terminal the rest is cut off. */
  urgent: boolean;
}) {
  const { status, waiting, keys, urgent } = props;
  const shown = useScreenText();
  const parts = [
    ...(urgent ? [keys] : []),
    ...(status.withheld === undefined ? [] : [status.withheld]),
    ...(waiting === 0 ? [] : [`${waiting} on your phone`]),
    status.connected ? (status.user ?? 'not signed in') : 'connecting',
    ...(status.value === undefined ? [] : [status.value]),
    ...(urgent ? [] : [keys]),
  ];
  return (
    <Text wrap="truncate-end" dimColor>
      <MoneyWord status={status} />
      {shown(` · ${parts.join(' · ')}`)}
    </Text>
  );
}
