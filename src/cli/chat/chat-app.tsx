import { Box, Static, Text, useApp, useInput, usePaste, useWindowSize } from 'ink';
import { useEffect, useState, useSyncExternalStore } from 'react';
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
import { useLineEditor } from './use-line-editor.ts';
import { useNow } from './use-now.ts';

/** Rows below the live part: an empty one, the input, the status; and one the terminal keeps for itself. */
const FIXED_ROWS = 4;
/** How long a first Ctrl-C waits for the second. */
const QUIT_WINDOW_MS = 2000;

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
  const [quitting, setQuitting] = useState(false);
  const [headerStatus] = useState(status);
  const now = useNow(clock, state.approvals.length > 0 || login !== undefined);

  useEffect(() => {
    if (!quitting) return;
    const timer = setTimeout(() => setQuitting(false), QUIT_WINDOW_MS);
    return () => clearTimeout(timer);
  }, [quitting]);

  const leave = () => session.quit().then(() => exit());
  const send = () => {
    const { text } = current();
    if (session.submit(text)) edit({ type: text.trim() === '' ? 'clear' : 'sent' });
  };
  usePaste((text) => edit({ type: 'paste', text }));
  useInput((input, key) => {
    if (key.ctrl && input === 'c') {
      if (quitting) void leave();
      else setQuitting(true);
      edit({ type: 'clear' });
    } else if (key.ctrl && input === 'd' && current().text === '') void leave();
    else if (key.escape) session.interrupt();
    else if (key.return) send();
    else if (/[\r\n]/.test(input)) {
      // Typed ahead, or pasted where the terminal doesn't mark pastes: several keys arrive as one.
      for (const part of input.split(/(\r\n|\r|\n)/)) {
        if (/^[\r\n]/.test(part)) send();
        else if (part !== '') edit({ type: 'key', input: part, key: {} });
      }
    } else edit({ type: 'key', input, key });
  });

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
