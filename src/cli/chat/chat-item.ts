import { safeText } from '../../text/sanitize.ts';

/** A finished item, printed once above the live part. `talk` is the name of the item's conversation, such as `#2`. */
export type ChatItem = { readonly talk?: string } & (
  | { readonly type: 'prompt'; readonly text: string }
  | { readonly type: 'answer'; readonly text: string; readonly continuesAnswer?: boolean }
  | { readonly type: 'tool'; readonly text: string; readonly ok: boolean; readonly ms: number }
  | { readonly type: 'outcome'; readonly text: string; readonly good: boolean }
  | { readonly type: 'note'; readonly text: string }
  | { readonly type: 'report'; readonly text: string }
  | { readonly type: 'error'; readonly text: string; readonly hint: string | undefined }
  /** Empty rows that push earlier output into the terminal's scrollback. */
  | { readonly type: 'space'; readonly rows: number }
);

export const stoppedItem: ChatItem = { type: 'note', text: 'stopped' };

export function errorItem(message: string, hint: string | undefined): ChatItem {
  return { type: 'error', text: safeText(message), hint: hint === undefined ? undefined : safeText(hint) };
}
