/*
 * The data that the chat page receives from its server, as JSON. All strings are plain text, never markup, because they
 * contain text from models, tools and brokers.
 */

interface LabeledText {
  readonly label: string;
  readonly text: string;
}

/** A proposal as the chat shows it, without an Approve button. */
export interface RequestPanel {
  readonly id: string;
  /** The proposal's state, such as `requested`. */
  readonly state: string;
  /** The state as text, such as `waiting for your approval`, or the outcome. */
  readonly words: string;
  /** Whether the proposal can still be approved, denied or withdrawn. */
  readonly isOpen: boolean;
  readonly isGood: boolean;
  readonly code: string;
  /** Whether the person types the code on the phone instead of comparing it. */
  readonly isCodeTyped: boolean;
  /** RFC 3339. */
  readonly expiresAt: string;
  /** Address of the phone's page. Absent unless it is an https address or on this machine. */
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
  /** Text such as `at most`. */
  readonly bound?: string | undefined;
  readonly worstCase?: string | undefined;
  readonly cautions: readonly string[];
  readonly askedBy: string;
  /** The person's sentence that led to the proposal. */
  readonly sentence?: string | undefined;
  /** Sources of the fields that are neither from the person's sentence nor defaults. Undefined if they are unknown. */
  readonly origins?: readonly LabeledText[] | undefined;
  readonly fields: readonly LabeledText[];
}

export type ConversationItem =
  | { readonly kind: 'prompt'; readonly text: string }
  /** The agent's answer, in Markdown. */
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
 * The activity of a conversation. `idle`: none. `working`: the agent works here. `waiting`: the agent waits for the
 * phone here. `elsewhere`: a run of another window or terminal uses the conversation. `open`: there are open requests
 * for which nobody waits.
 */
export type ConversationActivity = 'idle' | 'working' | 'waiting' | 'elsewhere' | 'open';

/** Replaces all items from the index `from`. */
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
