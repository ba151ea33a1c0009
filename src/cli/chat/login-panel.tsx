import { Box, Text } from 'ink';
import { countdown } from '../options/duration.ts';
import { wrapWords } from '../text/wrap.ts';
import type { ChatLogin } from './chat-driver.ts';
import { QrCode } from './qr-code.tsx';
import { inBorder, useScreen, useTheme } from './screen.ts';
import { useScreenText } from './use-screen-text.ts';

/** A sign-in that waits for the person: where to go, with what code, and what is asked. */
export function LoginPanel({ login, now, maxRows }: { login: ChatLogin; now: number; maxRows: number }) {
  const { columns, unicode, spoken } = useScreen();
  const shown = useScreenText();
  const theme = useTheme();
  const asks = shown(`It asks to ${login.asks.join(', ')}; never to place orders by itself.`);
  return (
    <Box
      flexDirection="column"
      {...(spoken ? {} : { borderStyle: unicode ? 'round' : 'classic', ...inBorder(theme.accent) })}
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
      <Text>by trade-agent on {shown(login.machine)}</Text>
      <Text>{wrapWords(shown(login.warning), columns - 4).join('\n')}</Text>
      {login.sandboxCommand === undefined ? null : (
        <Text>or here: {login.sandboxCommand} (in a browser: phone link)</Text>
      )}
      <Text dimColor>{wrapWords(asks, columns - 4).join('\n')}</Text>
      <Text dimColor>Esc gives up.</Text>
      {login.qr.length === 0 || spoken ? null : <QrCode rows={login.qr} />}
    </Box>
  );
}
