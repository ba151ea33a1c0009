import type { AgentEvent } from '../../agent/events.ts';
import type { ChatItem } from './chat-state.ts';

/** What the header and the status line say. */
export interface ChatStatus {
  readonly profile: string;
  /** `PAPER` or `LIVE`, always as a word. */
  readonly environment: string;
  readonly simulated: boolean;
  readonly model: string;
  /** Undefined before login. */
  readonly user: string | undefined;
  /** Account value for people, `$100,123.45`; undefined where it isn't known. */
  readonly value: string | undefined;
  readonly phone: string | undefined;
}

/** A device login that waits for the person. */
export interface ChatLogin {
  readonly userCode: string;
  readonly address: string;
  readonly warning: string;
  readonly asks: readonly string[];
  /** The command that stands in for the phone; undefined outside the sandbox. */
  readonly sandboxCommand: string | undefined;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  /** Resolves with the name of who signed in. */
  complete(signal: AbortSignal): Promise<string>;
}

/** All that the chat can do; the screen knows nothing of sessions, gateways and agents. */
export interface ChatDriver {
  run(prompt: string, thread: string | undefined, signal: AbortSignal): AsyncIterable<AgentEvent>;
  resume(thread: string, signal: AbortSignal): AsyncIterable<AgentEvent>;
  status(): Promise<ChatStatus>;
  login(): Promise<ChatLogin>;
  portfolio(): Promise<ChatItem>;
  orders(): Promise<ChatItem>;
  approvals(): Promise<ChatItem>;
}
