import { useInput, usePaste } from 'ink';
import { useEffect, useRef, useState } from 'react';
import type { Clock } from '../../trading/clock.ts';
import type { ChatSession } from './chat-session.ts';
import type { EditorAction, EditorState } from './line-editor.ts';

/** How long a first Ctrl-C waits for the second. */
const QUIT_WINDOW_MS = 2000;

const CTRL_C = '\u0003';

/**
 * What the keys do: send, stop, quit; the rest goes to the line editor. Keys may arrive several at once and faster
 * than React renders, so nothing here relies on what was rendered last.
 * @returns whether the next Ctrl-C quits
 */
export function useChatKeys(props: {
  session: ChatSession;
  clock: Clock;
  current: () => EditorState;
  edit: (action: EditorAction) => void;
  leave: () => void;
}): boolean {
  const { session, clock, current, edit, leave } = props;
  const firstCtrlC = useRef(Number.NEGATIVE_INFINITY);
  const [quitting, setQuitting] = useState(false);

  useEffect(() => {
    if (!quitting) return;
    const timer = setTimeout(() => setQuitting(false), QUIT_WINDOW_MS);
    return () => clearTimeout(timer);
  }, [quitting]);

  const send = () => {
    const { text } = current();
    if (session.submit(text)) edit({ type: text.trim() === '' ? 'clear' : 'sent' });
  };
  const ctrlC = () => {
    if (clock.now() - firstCtrlC.current <= QUIT_WINDOW_MS) return leave();
    firstCtrlC.current = clock.now();
    setQuitting(true);
    edit({ type: 'clear' });
  };

  usePaste((text) => edit({ type: 'paste', text }));
  useInput((input, key) => {
    if (key.ctrl && input === 'c') ctrlC();
    else if (key.ctrl && input === 'd' && current().text === '') leave();
    else if (key.escape) session.interrupt();
    else if (key.return) send();
    else if (/[\r\n\u0003]/.test(input)) {
      for (const part of input.split(/(\r\n|\r|\n|\u0003)/)) {
        if (part === CTRL_C) ctrlC();
        else if (/^[\r\n]/.test(part)) send();
        else if (part !== '') edit({ type: 'key', input: part, key: {} });
      }
    } else edit({ type: 'key', input, key });
  });
  return quitting;
}
