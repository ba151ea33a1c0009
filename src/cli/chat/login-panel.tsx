import { Box, Text } from 'ink';
import { countdown } from '../duration.ts';
import type { ChatLogin } from './chat-driver.ts';
import { useScreen } from './screen.ts';

/** A sign-in that waits for the person: where to go, with what code, and what is asked. */
export function LoginPanel({ login, now, maxRows }: { login: ChatLogin; now: number; maxRows: number }) {
  const { columns } = useScreen();
  return (
    <Box
      flexDirection="column"
      borderStyle="round"
      borderColor="cyan"
      paddingX={1}
      width={columns}
      maxHeight={Math.max(6, maxRows)}
      overflow="hidden"
    >
      <Text bold>Sign in on your phone or in a browser</Text>
      <Text>open {login.address}</Text>
      <Text>
        code{' '}
        <Text bold inverse>
          {` ${login.userCode} `}
        </Text>{' '}
        {countdown(login.expiresAt - now)} left
      </Text>
      <Text>{login.warning}</Text>
      {login.sandboxCommand === undefined ? null : <Text>or here: {login.sandboxCommand}</Text>}
      <Text dimColor>It asks to {login.asks.join(', ')}; never to place orders.</Text>
      <Text dimColor>Esc gives up.</Text>
    </Box>
  );
}
