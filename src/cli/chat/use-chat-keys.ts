import { type Key, useInput, usePaste } from 'ink';
import { useEffect, useRef, useState } from 'react';
import type { Clock } from '../../machine/clock.ts';
import { safeText } from '../../text/sanitize.ts';
import type { ChatSession } from './chat-session.ts';
import type { ChoicePicker } from './choices.ts';
import { type EditorAction, type EditorState, splitGraphemes } from './line-editor.ts';
import { completeCommand, findOfferedCommands, highlightedCommand } from './slash-commands.ts';

/** Maximum time between two presses of Ctrl-C that together quit the chat. */
const QUIT_WINDOW_MS = 2000;

const CTRL_C = '\u0003';

/** Maximum length of the typed text that narrows a list. */
const MAX_FILTER_LENGTH = 100;

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
    const entry = highlightedCommand(current(), marked.current) ?? text;
    if (entry !== text) edit({ type: 'replace', text: entry });
    // Answers to questions, such as `y`, are not kept in the history.
    const answers = session.snapshot().question !== undefined;
    if (!session.submit(entry)) return;
    if (entry.trim() === '' || answers) return edit({ type: 'clear' });
    sent(entry);
    edit({ type: 'sent' });
  };
  const newline = () => edit({ type: 'newline' });
  const complete = () => edit({ type: 'replace', text: completeCommand(current(), marked.current) });
  const ctrlC = () => {
    // During a search, Ctrl-C cancels only the search, as Ctrl-G does.
    if (current().search !== undefined) return edit({ type: 'key', input: 'g', key: { ctrl: true } });
    if (isSecond()) return leave();
    edit({ type: 'clear' });
  };
  const onEscape = () => {
    if (current().search !== undefined) return edit({ type: 'key', input: '', key: { escape: true } });
    // While completions are shown, Esc only clears them.
    if (findOfferedCommands(current()).length > 0) edit({ type: 'clear' });
    else session.interrupt();
  };

  usePaste((text) => {
    if (session.snapshot().picker === undefined) return edit({ type: 'paste', text });
    handlePickerKey(session.picking, text.split(/[\r\n]/)[0] ?? '', {} as Key);
  });
  useInput((input, key) => {
    if (session.snapshot().picker !== undefined) {
      const rest = handlePickerKey(session.picking, input, key);
      return rest === '' ? undefined : several(rest);
    }
    const listed = findOfferedCommands(current()).length;
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

  /** Handles keys that arrive together because of fast typing, or a paste in a terminal that doesn't mark pastes. */
  const several = (input: string) => {
    const lines = input.replace(/[\r\n]+$/, '').split(/\r\n|\r|\n/);
    // Several lines are a paste. It is sent only when the person presses Enter.
    if (lines.length > 1 && !input.includes(CTRL_C)) return edit({ type: 'paste', text: input });
    const acts = new Map([
      [CTRL_C, ctrlC],
      ['\n', newline],
      ['\r', send],
      ['\r\n', send],
    ]);
    for (const part of input.split(/(\r\n|[\u0001-\u001a])/).filter((some) => some !== '')) {
      const completes = part === '\t' && findOfferedCommands(current()).length > 0;
      const act = completes ? complete : acts.get(part);
      if (act === undefined) edit(toEditorAction(part));
      else act();
    }
  };
  return { quitting, chosen };
}

const PICKER_PAGE = 8;

/**
 * Handles keys while a list is open: letters narrow it, arrows move, Enter selects, Esc and Ctrl-C cancel.
 * @returns keys that arrived together with the Enter key that closed the list
 */
function handlePickerKey(picking: ChoicePicker, input: string, key: Key): string {
  const acts: readonly [applies: boolean, act: () => void][] = [
    [key.downArrow || key.tab || (key.ctrl && input === 'n'), () => picking.mark(1)],
    [key.upArrow || (key.ctrl && input === 'p'), () => picking.mark(-1)],
    [key.pageDown, () => picking.mark(PICKER_PAGE)],
    [key.pageUp, () => picking.mark(-PICKER_PAGE)],
    [key.return, () => picking.choose(true)],
    [key.escape || (key.ctrl && ['c', 'd', 'g'].includes(input)), () => picking.choose(false)],
    [key.backspace || key.delete, () => picking.type((typed) => splitGraphemes(typed).slice(0, -1).join(''))],
    [key.ctrl && ['u', 'w'].includes(input), () => picking.type(() => '')],
    [key.ctrl || key.meta, () => undefined],
  ];
  const act = acts.find(([applies]) => applies);
  if (act !== undefined) {
    act[1]();
    return '';
  }
  const [, letters = '', enter, rest = ''] = /^([^\r\n]*)(\r?\n?)([\s\S]*)$/.exec(input) ?? [];
  if (letters !== '') picking.type((typed) => safeText(typed + letters).slice(0, MAX_FILTER_LENGTH));
  if (enter === '') return '';
  picking.choose(true);
  return rest;
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
