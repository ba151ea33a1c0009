import { useRef, useState } from 'react';
import { type EditorAction, type EditorState, editorReducer, emptyEditor } from './line-editor.ts';

/**
 * The line editor as a hook. `current()` is up to date within one event as well: keys may arrive faster than React
 * renders, and Enter must send all of them.
 * @param history what was typed in earlier sessions, oldest first
 */
export function useLineEditor(history: readonly string[]): {
  readonly editor: EditorState;
  current(): EditorState;
  edit(action: EditorAction): void;
} {
  const latest = useRef({ ...emptyEditor, history, shown: history.length });
  const [editor, show] = useState(latest.current);
  return {
    editor,
    current: () => latest.current,
    edit: (action) => {
      latest.current = editorReducer(latest.current, action);
      show(latest.current);
    },
  };
}
