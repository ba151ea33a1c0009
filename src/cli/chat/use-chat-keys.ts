import { type Key, useInput, usePaste } from 'ink';
import { useEffect, useRef, useState } from 'react';
import type { Clock } from '../../machine/clock.ts';
import type { ChatSession } from './chat-session.ts';
import type { EditorAction, EditorState } from './line-editor.ts';
import { completeCommand, highlightedCommand, offeredCompletions } from './slash-commands.ts';

/** Maximum time between two presses of Ctrl-C that together quit the chat. */
const QUIT_WINDOW_MS = 2000;

const CTRL_C = '\u0003';

/**
 * Handles the keys that send, stop, complete and quit. All other keys go to the line editor. Several keys may arrive at
 * once, faster than React renders, so nothing here relies on rendered state.
 */
export function useChatKeys(props: {
  session: ChatSession;
  clock: Clock;
  current: () => EditorState;
  edit: (action: EditorAction) => void;
  leave: () => void;
  sent: (entry: string) => void;
}) {
  const { session, clock, current, leave, sent } = props;
  const { quitting, isSecond } = useCtrlC(clock);
  const marked = useRef(0);
  const [chosen, setChosen] = useState(0);

  const choose = (index: number) => {
    marked.current = index;
    setChosen(index);
  };
  const edit = (action: EditorAction) => {
    choose(0);
    props.edit(action);
  };
  const send = () => {
    const { text } = current();
    if (/(^|[^\\])\\$/.test(text)) {
      edit({ type: 'replace', text: `${text.slice(0, -1)}\n` });
      return;
    }
    const command = highlightedCommand(current(), marked.current);
    const entry = command?.text ?? text;
    if (entry !== text) edit({ type: 'replace', text: entry });
    if (command?.send === false) return;
    // An answer to a question, such as `y`, is not worth keeping in the history.
    const answers = session.snapshot().question !== undefined;
    if (!session.submit(entry)) return;
    if (entry.trim() === '' || answers) return edit({ type: 'clear' });
    sent(entry);
    edit({ type: 'sent' });
  };
  const newline = () => edit({ type: 'newline' });
  const complete = () => edit({ type: 'replace', text: completeCommand(current().text, marked.current) });
  const ctrlC = () => {
    if (isSecond()) return leave();
    edit({ type: 'clear' });
  };
  const onEscape = () => {
    // While completions are shown, Esc only clears them.
    if (offeredCompletions(current()).length > 0) edit({ type: 'clear' });
    else session.interrupt();
  };

  usePaste((text) => edit({ type: 'paste', text }));
  useInput((input, key) => {
    if (session.snapshot().picker !== undefined) return handlePickerKey(session, input, key);
    const listed = offeredCompletions(current()).length;
    const choices: readonly [applies: boolean, act: () => void][] = [
      [key.ctrl && input === 'c', ctrlC],
      [key.ctrl && input === 'd' && current().text === '', leave],
      [key.escape, onEscape],
      [key.return && (key.meta || key.shift), newline],
      [key.return, send],
      [listed > 0 && key.tab, complete],
      [listed > 0 && key.downArrow, () => choose((marked.current + 1) % listed)],
      [listed > 0 && key.upArrow, () => choose((marked.current + listed - 1) % listed)],
      [input === '\n', newline],
      [/[\u0001-\u001a]/.test(input), () => several(input)],
      [true, () => edit({ type: 'key', input, key })],
    ];
    choices.find(([applies]) => applies)?.[1]();
  });

  /**
   * Handles keys that arrive at once, because they were typed fast or pasted in a terminal that doesn't mark pastes.
   */
  const several = (input: string) => {
    const lines = input.replace(/[\r\n]+$/, '').split(/\r\n|\r|\n/);
    // Several lines are a paste, which is sent only when the person presses Enter.
    if (lines.length > 1 && !input.includes(CTRL_C)) return edit({ type: 'paste', text: input });
    const acts = new Map([
      [CTRL_C, ctrlC],
      ['\n', newline],
      ['\r', send],
      ['\r\n', send],
    ]);
    for (const part of input.split(/(\r\n|[\u0001-\u001a])/).filter((some) => some !== '')) {
      const completes = part === '\t' && offeredCompletions(current()).length > 0;
      const act = completes ? complete : acts.get(part);
      if (act === undefined) edit(toEditorAction(part));
      else act();
    }
  };
  return { quitting, chosen };
}

/** Handles keys while a list is open: arrows to move, Enter to select, Esc and Ctrl-C to cancel. */
function handlePickerKey(session: ChatSession, input: string, key: Key): void {
  if (key.downArrow || input === 'j' || (key.ctrl && input === 'n')) session.picking.mark(1);
  else if (key.upArrow || input === 'k' || (key.ctrl && input === 'p')) session.picking.mark(-1);
  else if (key.return) session.picking.choose(true);
  else if (key.escape || input === 'q' || (key.ctrl && input === 'c')) session.picking.choose(false);
}

/** Converts a character to a line editor action. Ctrl-A arrives as character 1, Ctrl-B as 2, and so on. */
function toEditorAction(input: string): EditorAction {
  if (input === '\t' || !/^[\u0001-\u001a]$/.test(input)) return { type: 'key', input, key: {} };
  return { type: 'key', input: String.fromCharCode(input.charCodeAt(0) + 0x60), key: { ctrl: true } };
}

function useCtrlC(clock: Clock): { readonly quitting: boolean; readonly isSecond: () => boolean } {
  const first = useRef(Number.NEGATIVE_INFINITY);
  const [quitting, setQuitting] = useState(false);
  useEffect(() => {
    if (!quitting) return;
    const timer = setTimeout(() => setQuitting(false), QUIT_WINDOW_MS);
    return () => clearTimeout(timer);
  }, [quitting]);
  const isSecond = () => {
    if (clock.now() - first.current <= QUIT_WINDOW_MS) return true;
    first.current = clock.now();
    setQuitting(true);
    return false;
  };
  return { quitting, isSecond };
}
