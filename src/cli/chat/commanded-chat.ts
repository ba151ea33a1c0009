import type { ThemeName } from '../../config/theme-name.ts';
import type { ChatDriver } from './chat-driver.ts';
import type { ChatItem } from './chat-item.ts';
import type { ChatSnapshot } from './chat-snapshot.ts';

/** The chat, as its `/` commands see it; {@link ChatSession} says what each does. */
export interface CommandedChat {
  readonly driver: ChatDriver;
  nextProfile: string | undefined;
  snapshot(): ChatSnapshot;
  add(item: ChatItem): void;
  report(text: string): void;
  fail(error: unknown): void;
  ask(question: string): Promise<boolean>;
  /** Resolves with the chosen row; undefined where Esc left the list. */
  pick(title: string, rows: readonly string[]): Promise<number | undefined>;
  chooseTheme(name: ThemeName): void;
  work(work: (signal: AbortSignal) => Promise<void>): void;
  login(): void;
  resume(thread: string, title: string): void;
  fresh(): void;
  refresh(): Promise<void>;
  quit(): Promise<void>;
}
