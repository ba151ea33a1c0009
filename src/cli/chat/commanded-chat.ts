import type { ThemeName } from '../../config/theme-name.ts';
import type { ChatDriver } from './chat-driver.ts';
import type { ChatItem } from './chat-item.ts';
import type { ChatSnapshot } from './chat-snapshot.ts';

/** The chat, as its `/` commands see it. */
export interface CommandedChat {
  readonly driver: ChatDriver;
  /** The profile to open next, after the chat has ended. */
  nextProfile: string | undefined;
  snapshot(): ChatSnapshot;
  add(item: ChatItem): void;
  report(text: string): void;
  fail(error: unknown): void;
  /** Asks yes or no; anything but yes is no. */
  ask(question: string): Promise<boolean>;
  /** Has one of these rows chosen by the arrows and Enter; undefined where Esc left it. */
  pick(title: string, rows: readonly string[]): Promise<number | undefined>;
  /** Other colours from now on. */
  chooseTheme(name: ThemeName): void;
  /** Does something that has no conversation; the next line waits for it, and Esc stops it. */
  work(work: (signal: AbortSignal) => Promise<void>): void;
  login(): void;
  /** Goes on with a thread: waits for its approvals, and finishes what was begun. */
  resume(thread: string, title: string): void;
  /** The next prompt begins a new conversation. */
  fresh(): void;
  /** Looks again at what the status line says. */
  refresh(): Promise<void>;
  quit(): Promise<void>;
}
