import { Box, Static, Text, useApp, useWindowSize } from 'ink';
import { useState, useSyncExternalStore } from 'react';
import type { Clock } from '../../trading/clock.ts';
import type { ChatSession } from './chat-session.ts';
import type { ChatItem } from './chat-state.ts';
import { Header } from './header.tsx';
import { InputLine } from './input-line.tsx';
import { ItemView } from './item-view.tsx';
import { LivePart } from './live-part.tsx';
import { LoginPanel } from './login-panel.tsx';
import { ScreenContext } from './screen.ts';
import { StatusLine } from './status-line.tsx';
import { useChatKeys } from './use-chat-keys.ts';
import { useLineEditor } from './use-line-editor.ts';
import { useNow } from './use-now.ts';

/** Rows below the live part: an empty one, the input, the status; and one the terminal keeps for itself. */
const FIXED_ROWS = 4;

export interface ChatAppProps {
  readonly session: ChatSession;
  readonly clock: Clock;
  readonly version: string;
  readonly unicode: boolean;
  readonly color: boolean;
}

type StaticItem = ChatItem | { readonly type: 'header' };

/** The chat's screen: what is finished above, what goes on below it, and the line being typed. */
export function ChatApp({ session, clock, version, unicode, color }: ChatAppProps) {
  const { exit } = useApp();
  const { columns, rows } = useWindowSize();
  const { state, status, login, busy } = useSyncExternalStore(session.subscribe, session.snapshot);
  const { editor, current, edit } = useLineEditor();
  const [headerStatus] = useState(status);
  const now = useNow(clock, state.approvals.length > 0 || login !== undefined);

  const leave = () => void session.quit().then(() => exit());
  const quitting = useChatKeys({ session, clock, current, edit, leave });

  const items: StaticItem[] = [{ type: 'header' }, ...state.items];
  const liveRows = Math.max(1, rows - FIXED_ROWS);
  return (
    <ScreenContext.Provider value={{ columns, rows, unicode, color }}>
      <Static items={items}>
        {(item, index) =>
          item.type === 'header' ? (
            <Header key={index} status={headerStatus} version={version} />
          ) : (
            <ItemView key={index} item={item} />
          )
        }
      </Static>
      <Box flexDirection="column" maxHeight={Math.max(1, rows - 1)} overflow="hidden">
        {login === undefined ? (
          <LivePart state={state} phone={status.phone} now={now} maxRows={liveRows} />
        ) : (
          <LoginPanel login={login} now={now} maxRows={liveRows} />
        )}
        <Text> </Text>
        <InputLine editor={editor} busy={busy} hint={inputHint(busy, status.user)} />
        <StatusLine status={status} keys={keysText(quitting, busy)} />
      </Box>
    </ScreenContext.Provider>
  );
}

function inputHint(busy: boolean, user: string | undefined): string {
  if (busy) return '';
  return user === undefined ? 'Enter signs you in' : 'what do I own';
}

function keysText(quitting: boolean, busy: boolean): string {
  if (quitting) return 'Ctrl-C again to quit';
  return busy ? 'Esc stops' : '/help';
}
