import { safeText } from '../../text/shown-text.ts';

/** Something finished: written once above the live part. `talk` is its conversation, `#2`. */
export type ChatItem = { readonly talk?: string } & (
  | { readonly type: 'prompt'; readonly text: string }
  /** Markdown. `goesOn`: a further piece of the same answer. */
  | { readonly type: 'answer'; readonly text: string; readonly goesOn?: boolean }
  | { readonly type: 'tool'; readonly text: string; readonly ok: boolean; readonly ms: number }
  | { readonly type: 'outcome'; readonly text: string; readonly good: boolean }
  | { readonly type: 'note'; readonly text: string }
  | { readonly type: 'report'; readonly text: string }
  | { readonly type: 'error'; readonly text: string; readonly hint: string | undefined }
  /** Empty rows that move what is above into the scrollback. */
  | { readonly type: 'space'; readonly rows: number }
);

/** The person pressed Esc, so this is no error. */
export const stopped: ChatItem = { type: 'note', text: 'stopped' };

export function errorItem(message: string, hint: string | undefined): ChatItem {
  return { type: 'error', text: safeText(message), hint: hint === undefined ? undefined : safeText(hint) };
}
