import type { Key } from 'ink';

/** The line being typed. `cursor` counts graphemes, so that it never lands inside an emoji or an accent. */
export interface EditorState {
  readonly text: string;
  readonly cursor: number;
  /** Lines sent before, oldest first. */
  readonly history: readonly string[];
  /** Which of them is shown; `history.length` is the new line. */
  readonly shown: number;
  /** The new line, kept while older ones are looked at. */
  readonly draft: string;
}

export const emptyEditor: EditorState = { text: '', cursor: 0, history: [], shown: 0, draft: '' };

export type EditorAction =
  | { readonly type: 'key'; readonly input: string; readonly key: Partial<Key> }
  | { readonly type: 'paste'; readonly text: string }
  /** The line was sent: it enters the history. */
  | { readonly type: 'sent' }
  | { readonly type: 'clear' };

const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

export function graphemes(text: string): string[] {
  return Array.from(segmenter.segment(text), ({ segment }) => segment);
}

export function editorReducer(state: EditorState, action: EditorAction): EditorState {
  switch (action.type) {
    case 'paste':
      return insert(state, action.text);
    case 'clear':
      return { ...state, text: '', cursor: 0, shown: state.history.length, draft: '' };
    case 'sent': {
      const repeated = state.history.at(-1) === state.text;
      const history = repeated ? state.history : [...state.history, state.text];
      return { text: '', cursor: 0, history, shown: history.length, draft: '' };
    }
    case 'key':
      return onKey(state, action.input, action.key);
  }
}

function onKey(state: EditorState, input: string, key: Partial<Key>): EditorState {
  const length = graphemes(state.text).length;
  if (key.leftArrow) return { ...state, cursor: Math.max(0, state.cursor - 1) };
  if (key.rightArrow) return { ...state, cursor: Math.min(length, state.cursor + 1) };
  if (key.upArrow) return show(state, state.shown - 1);
  if (key.downArrow) return show(state, state.shown + 1);
  if (key.home) return { ...state, cursor: 0 };
  if (key.end) return { ...state, cursor: length };
  if (key.backspace) return cut(state, state.cursor - 1, state.cursor);
  if (key.delete) return cut(state, state.cursor, state.cursor + 1);
  if (key.ctrl) return onControl(state, input, length);
  if (key.meta || key.tab || key.escape || key.return) return state;
  return insert(state, input);
}

/** The readline keys people's fingers know. */
function onControl(state: EditorState, letter: string, length: number): EditorState {
  switch (letter) {
    case 'a':
      return { ...state, cursor: 0 };
    case 'e':
      return { ...state, cursor: length };
    case 'u':
      return cut(state, 0, state.cursor);
    case 'k':
      return cut(state, state.cursor, length);
    case 'w': {
      const before = graphemes(state.text).slice(0, state.cursor).join('');
      const kept = before.replace(/\S+\s*$/, '');
      return cut(state, graphemes(kept).length, state.cursor);
    }
    default:
      return state;
  }
}

function insert(state: EditorState, typed: string): EditorState {
  // One line only; controls could move the terminal's cursor.
  const text = typed.replace(/[\r\n\t]+/g, ' ').replace(/[\u0000-\u001f\u007f-\u009f]/g, '');
  if (text === '') return state;
  const parts = graphemes(state.text);
  const before = parts.slice(0, state.cursor).join('') + text;
  const after = parts.slice(state.cursor).join('');
  return { ...state, text: before + after, cursor: graphemes(before).length };
}

function cut(state: EditorState, from: number, to: number): EditorState {
  if (from < 0) return state;
  const parts = graphemes(state.text);
  return {
    ...state,
    text: [...parts.slice(0, from), ...parts.slice(to)].join(''),
    cursor: Math.min(from, state.cursor),
  };
}

function show(state: EditorState, index: number): EditorState {
  if (index < 0 || index > state.history.length || index === state.shown) return state;
  const draft = state.shown === state.history.length ? state.text : state.draft;
  const text = index === state.history.length ? draft : (state.history[index] ?? '');
  return { ...state, text, cursor: graphemes(text).length, shown: index, draft };
}
