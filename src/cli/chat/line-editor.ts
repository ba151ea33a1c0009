import type { Key } from 'ink';

/** The input, with one or more lines. `cursor` is an index in graphemes, so it is never inside an emoji. */
export interface EditorState {
  readonly text: string;
  readonly cursor: number;
  readonly history: readonly string[];
  /** Index of the displayed history entry; `history.length` means the new entry, which is not in the history yet. */
  readonly shown: number;
  /** The new entry, saved while an older entry is displayed. */
  readonly draft: string;
  /** The text that Ctrl-K, Ctrl-U or Ctrl-W cut most recently. Ctrl-Y inserts it. */
  readonly cut: string;
  /** Older entries that were edited, by index. Cleared when an entry is sent. */
  readonly edited: ReadonlyMap<number, string>;
  /** Set while Ctrl-R searches the history. */
  readonly search: HistorySearch | undefined;
}

interface HistorySearch {
  readonly wanted: string;
  /** Whether no further entry contains the search text. If so, the last match stays displayed. */
  readonly failed: boolean;
  /** The editor's state before the search. Ctrl-G restores this state. */
  readonly before: EditorState;
}

export const emptyEditor: EditorState = {
  text: '',
  cursor: 0,
  history: [],
  shown: 0,
  draft: '',
  cut: '',
  edited: new Map(),
  search: undefined,
};

export type EditorAction =
  | { readonly type: 'key'; readonly input: string; readonly key: Partial<Key> }
  | { readonly type: 'paste'; readonly text: string }
  | { readonly type: 'newline' }
  | { readonly type: 'replace'; readonly text: string }
  | { readonly type: 'sent' }
  | { readonly type: 'clear' };

/** Maximum length of the input. Longer pastes are truncated, because they are probably accidental. */
const MAX_INPUT_LENGTH = 20_000;
const MAX_HISTORY_ENTRIES = 1000;

const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

export function splitGraphemes(text: string): string[] {
  return Array.from(segmenter.segment(text), ({ segment }) => segment);
}

export function editorReducer(state: EditorState, action: EditorAction): EditorState {
  if (state.search !== undefined) return onSearch(state, state.search, action);
  switch (action.type) {
    case 'paste':
      return insert(state, action.text);
    case 'newline':
      return insert(state, '\n');
    case 'replace':
      return { ...state, text: action.text, cursor: splitGraphemes(action.text).length };
    case 'clear':
      return { ...state, text: '', cursor: 0, ...newEntryState(state.history) };
    case 'sent': {
      const repeated = state.history.at(-1) === state.text;
      const history = repeated ? state.history : [...state.history, state.text].slice(-MAX_HISTORY_ENTRIES);
      return { ...state, text: '', cursor: 0, ...newEntryState(history) };
    }
    case 'key':
      return onKey(state, action.input, action.key);
  }
}

function onKey(state: EditorState, input: string, key: Partial<Key>): EditorState {
  const named = namedKeys.find(([name]) => key[name]);
  if (named !== undefined) {
    const [, edit, byWord = edit] = named;
    return (key.ctrl || key.meta ? byWord : edit)(state);
  }
  if (key.ctrl) return ctrlKeys.get(input)?.(state) ?? state;
  if (key.meta) return metaKeys.get(input.toLowerCase())?.(state) ?? state;
  if (key.tab || key.escape || key.return) return state;
  return insert(state, input);
}

type Edit = (state: EditorState) => EditorState;

const moveTo =
  (place: (state: EditorState) => number): Edit =>
  (state) => ({ ...state, cursor: place(state) });

/** Edits by key name. With Ctrl or Alt, a key that has a `byWord` performs it instead of `edit`. */
const namedKeys: readonly (readonly [name: keyof Key, edit: Edit, byWord?: Edit])[] = [
  ['leftArrow', moveTo(left), moveTo(wordStart)],
  ['rightArrow', moveTo(right), moveTo(wordEnd)],
  ['upArrow', moveUp],
  ['downArrow', moveDown],
  ['home', moveTo(lineStart)],
  ['end', moveTo(lineEnd)],
  ['backspace', (state) => remove(state, -1), (state) => kill(state, wordStart(state), state.cursor)],
  ['delete', (state) => remove(state, 0)],
];

const ctrlKeys = new Map<string, Edit>([
  ['a', moveTo(lineStart)],
  ['e', moveTo(lineEnd)],
  ['b', moveTo(left)],
  ['f', moveTo(right)],
  ['p', moveUp],
  ['n', moveDown],
  ['r', startSearch],
  ['d', (state) => remove(state, 0)],
  ['u', (state) => kill(state, lineStart(state), state.cursor)],
  ['k', (state) => kill(state, state.cursor, Math.max(lineEnd(state), state.cursor + 1))],
  ['w', (state) => kill(state, wordStart(state, isNotSpace), state.cursor)],
  ['y', (state) => insert(state, state.cut)],
]);

const metaKeys = new Map<string, Edit>([
  ['b', moveTo(wordStart)],
  ['f', moveTo(wordEnd)],
  ['d', (state) => kill(state, state.cursor, wordEnd(state))],
]);

/** Removes control characters, which could move the terminal's cursor. Keeps line feeds. */
function withoutControls(text: string): string {
  return text.replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/g, '');
}

function insert(state: EditorState, typed: string): EditorState {
  const text = withoutControls(typed.replace(/\r\n?/g, '\n').replace(/\t/g, ' ')).slice(
    0,
    Math.max(0, MAX_INPUT_LENGTH - state.text.length),
  );
  if (text === '') return state;
  const parts = splitGraphemes(state.text);
  const before = parts.slice(0, state.cursor).join('') + text;
  const after = parts.slice(state.cursor).join('');
  return { ...state, text: before + after, cursor: splitGraphemes(before).length };
}

function remove(state: EditorState, offset: -1 | 0): EditorState {
  return removeRange(state, state.cursor + offset, state.cursor + offset + 1);
}

function kill(state: EditorState, from: number, to: number): EditorState {
  const gone = splitGraphemes(state.text).slice(from, to).join('');
  return gone === '' ? state : { ...removeRange(state, from, to), cut: gone };
}

function removeRange(state: EditorState, from: number, to: number): EditorState {
  if (from < 0) return state;
  const parts = splitGraphemes(state.text);
  return {
    ...state,
    text: [...parts.slice(0, from), ...parts.slice(to)].join(''),
    cursor: Math.min(from, state.cursor),
  };
}

function left({ cursor }: EditorState): number {
  return Math.max(0, cursor - 1);
}

function right({ text, cursor }: EditorState): number {
  return Math.min(splitGraphemes(text).length, cursor + 1);
}

function lineStart({ text, cursor }: EditorState): number {
  return splitGraphemes(text).slice(0, cursor).lastIndexOf('\n') + 1;
}

function lineEnd({ text, cursor }: EditorState): number {
  const parts = splitGraphemes(text);
  const end = parts.indexOf('\n', cursor);
  return end === -1 ? parts.length : end;
}

const isWordCharacter = (part = '') => /[\p{L}\p{N}_]/u.test(part);
const isNotSpace = (part = '') => !/\s/.test(part);

function wordStart({ text, cursor }: EditorState, isPart = isWordCharacter): number {
  const parts = splitGraphemes(text);
  let at = cursor;
  while (at > 0 && !isPart(parts[at - 1])) at--;
  while (at > 0 && isPart(parts[at - 1])) at--;
  return at;
}

function wordEnd({ text, cursor }: EditorState): number {
  const parts = splitGraphemes(text);
  let at = cursor;
  while (at < parts.length && !isWordCharacter(parts[at])) at++;
  while (at < parts.length && isWordCharacter(parts[at])) at++;
  return at;
}

/** Moves the cursor up a line, or from the first line to the previous history entry. */
function moveUp(state: EditorState): EditorState {
  const start = lineStart(state);
  if (start === 0) return showEntry(state, state.shown - 1);
  const above = lineStart({ ...state, cursor: start - 1 });
  return { ...state, cursor: Math.min(above + (state.cursor - start), start - 1) };
}

function moveDown(state: EditorState): EditorState {
  const end = lineEnd(state);
  if (end === splitGraphemes(state.text).length) return showEntry(state, state.shown + 1);
  const below = end + 1;
  return {
    ...state,
    cursor: Math.min(below + (state.cursor - lineStart(state)), lineEnd({ ...state, cursor: below })),
  };
}

/** Returns the state for a new entry, which discards edits of older entries. */
function newEntryState(history: readonly string[]): Partial<EditorState> & Pick<EditorState, 'history' | 'shown'> {
  return { history, shown: history.length, draft: '', edited: new Map() };
}

/** Starts a search with the typed text. An unedited older entry does not count as typed. */
function startSearch(state: EditorState): EditorState {
  const { history, text, shown, edited } = state;
  const looking = shown < history.length && text === (edited.get(shown) ?? history[shown]);
  const wanted = looking ? '' : text;
  const search = { wanted, failed: false, before: state };
  return wanted === '' ? { ...state, search } : findEntry({ ...state, search }, search, history.length, -1);
}

/** Handles the keys of a search as readline does. Any other key ends the search and then has its usual effect. */
function onSearch(state: EditorState, search: HistorySearch, action: EditorAction): EditorState {
  const found: EditorState = { ...state, search: undefined };
  if (action.type !== 'key') return editorReducer(found, action);
  const { input, key } = action;
  if (key.escape) return found;
  const act = key.ctrl ? searchKeys.get(input) : undefined;
  if (act !== undefined) return act(state, search);
  const typed = key.ctrl || key.meta || namedKeys.some(([name]) => key[name]) ? '' : withoutControls(input);
  if (typed === '' && !key.backspace) return editorReducer(found, action);
  return narrowSearch(state, search, typed);
}

const searchKeys = new Map<string, (state: EditorState, search: HistorySearch) => EditorState>([
  ['r', (state, search) => findEntry(state, search, state.shown, -1)],
  ['s', (state, search) => findEntry(state, search, state.shown, 1)],
  ['g', (_, search) => search.before],
]);

/** Appends the typed text to the search text, or removes the last character if nothing was typed. */
function narrowSearch(state: EditorState, search: HistorySearch, typed: string): EditorState {
  const { shown, history } = state;
  const wanted = typed === '' ? splitGraphemes(search.wanted).slice(0, -1).join('') : search.wanted + typed;
  const next = { ...search, wanted, failed: false };
  if (wanted === '') return { ...search.before, search: next };
  // A longer text may still match the displayed entry. A shorter text starts again from the newest entry.
  return findEntry(state, next, typed !== '' && shown < history.length ? shown + 1 : history.length, -1);
}

/** Displays the next match of the search text, older (-1) or newer (1) than `from`, with the cursor at the match. */
function findEntry(state: EditorState, search: HistorySearch, from: number, step: 1 | -1): EditorState {
  const { history } = state;
  const wanted = search.wanted.toLowerCase();
  for (let at = from + step; at >= 0 && at < history.length; at += step) {
    const entry = history[at] ?? '';
    const place = entry.toLowerCase().indexOf(wanted);
    // An entry that was sent twice is displayed only once.
    if (place < 0 || (entry === state.text && at !== state.shown)) continue;
    const cursor = splitGraphemes(entry.slice(0, place)).length;
    return { ...showEntry(state, at), text: entry, cursor, search: { ...search, failed: false } };
  }
  return { ...state, search: { ...search, failed: true } };
}

function showEntry(state: EditorState, index: number): EditorState {
  const { history, shown, text } = state;
  if (index < 0 || index > history.length || index === shown) return state;
  const edited = new Map(state.edited);
  if (shown < history.length) {
    if (text === history[shown]) edited.delete(shown);
    else edited.set(shown, text);
  }
  const draft = shown === history.length ? text : state.draft;
  const next = index === history.length ? draft : (edited.get(index) ?? history[index] ?? '');
  return {
    ...state,
    text: next,
    cursor: splitGraphemes(next).length,
    shown: index,
    draft,
    edited,
  };
}
