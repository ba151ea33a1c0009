import { safeText } from '../../text/shown-text.ts';

/** Something finished: written above the live part once, and never again. `talk` names its conversation, `#2`. */
export type ChatItem = { readonly talk?: string } & (
  | { readonly type: 'prompt'; readonly text: string }
  /** Markdown. `goesOn`: a further piece of one answer. */
  | { readonly type: 'answer'; readonly text: string; readonly goesOn?: boolean }
  | { readonly type: 'tool'; readonly text: string; readonly ok: boolean; readonly ms: number }
  | { readonly type: 'outcome'; readonly text: string; readonly good: boolean }
  | { readonly type: 'note'; readonly text: string }
  | { readonly type: 'report'; readonly text: string }
  | { readonly type: 'error'; readonly text: string; readonly hint: string | undefined }
  /** So many empty rows: the old moves up into the scrollback, where it stays. */
  | { readonly type: 'space'; readonly rows: number }
);

/** The person pressed Esc: that went as it should. */
export const stopped: ChatItem = { type: 'note', text: 'stopped' };

export function errorItem(message: string, hint: string | undefined): ChatItem {
  return { type: 'error', text: safeText(message), hint: hint === undefined ? undefined : safeText(hint) };
}
