/*
 * The data that the chat page receives from its server, as JSON. All strings are plain text, never markup, because they contain
 * words of models, tools and brokers.
 */

interface LabeledText {
  readonly label: string;
  readonly text: string;
}

/** A proposal as the chat shows it, without buttons that approve it. */
export interface RequestPanel {
  readonly id: string;
  /** The proposal's state, such as `requested`. */
  readonly state: string;
  /** The state in words, such as `waiting for your approval`, or the outcome. */
  readonly words: string;
  /** Whether the proposal can still be approved, denied or withdrawn. */
  readonly isOpen: boolean;
  readonly isGood: boolean;
  readonly code: string;
  /** Whether the person types the code on the phone instead of comparing it. */
  readonly isCodeTyped: boolean;
  /** RFC 3339. */
  readonly expiresAt: string;
  /** Address of the phone's page, if it leads to this machine or uses https. */
  readonly phoneUrl?: string | undefined;
  /** `PAPER` or `LIVE`, or the banner of a request that moves no money. */
  readonly environment: string;
  readonly environmentNote: string;
  readonly isLive: boolean;
  readonly side?: 'buy' | 'sell' | undefined;
  readonly headline: string;
  readonly terms: string;
  /** The maximum cost or minimum proceeds. */
  readonly amount?: string | undefined;
  /** Example: `at most`. */
  readonly bound?: string | undefined;
  readonly worstCase?: string | undefined;
  readonly cautions: readonly string[];
  readonly askedBy: string;
  /** The person's words that led to the proposal. */
  readonly sentence?: string | undefined;
  /** Sources of the fields that are neither the person's words nor defaults. Undefined if they are not known. */
  readonly origins?: readonly LabeledText[] | undefined;
  readonly fields: readonly LabeledText[];
}

export type ConversationItem =
  | { readonly kind: 'prompt'; readonly text: string }
  /** The agent's words, in Markdown. */
  | { readonly kind: 'answer'; readonly text: string }
  | {
      readonly kind: 'tool';
      readonly id: string;
      readonly text: string;
      readonly state: 'running' | 'done' | 'failed';
      readonly summary: string;
    }
  | { readonly kind: 'request'; readonly id: string; readonly request: RequestPanel }
  | { readonly kind: 'note'; readonly text: string }
  | { readonly kind: 'error'; readonly text: string; readonly hint?: string | undefined };

/**
 * The activity of a conversation: nothing (`idle`); the agent works (`working`) or waits for the phone (`waiting`) here;
 * a run of another window or terminal has the conversation (`elsewhere`); or nobody waits for its open requests
 * (`open`).
 */
export type ConversationActivity = 'idle' | 'working' | 'waiting' | 'elsewhere' | 'open';

/** Replaces the items from the index `from` on. */
export interface ConversationPatch {
  readonly from: number;
  readonly items: readonly ConversationItem[];
  readonly activity: ConversationActivity;
}

export interface ConversationLine {
  readonly thread: string;
  readonly prompt: string;
  readonly status: string;
  readonly updated_at: string;
}
