import type { ThemeName } from '../../config/theme-name.ts';
import type { ChatLogin, ChatStatus } from './chat-driver.ts';
import type { ChatState } from './chat-state.ts';

/** A list in which the arrows mark a row and Enter takes it. */
export interface Picker {
  readonly title: string;
  readonly rows: readonly string[];
  readonly chosen: number;
}

/** What the screen shows at one moment. */
export interface ChatSnapshot {
  readonly state: ChatState;
  readonly status: ChatStatus;
  readonly login: ChatLogin | undefined;
  /** A yes-or-no question; the next line answers it. */
  readonly question: string | undefined;
  /** The conversations to choose from. */
  readonly picker: Picker | undefined;
  readonly theme: ThemeName;
  /** Work is going on that Esc can stop and the next line waits for. */
  readonly busy: boolean;
  /** Lines sent while busy; they run one by one afterwards. */
  readonly queued: readonly string[];
  /** The chat is over: nothing is drawn below what was printed. */
  readonly ended: boolean;
}
