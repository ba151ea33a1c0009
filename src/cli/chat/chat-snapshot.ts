import type { ThemeName } from '../../config/theme-name.ts';
import type { ChatLogin, ChatStatus } from './chat-driver.ts';
import type { ChatState } from './chat-state.ts';

/** A list of which the arrows mark one, and Enter takes it. */
export interface Picker {
  readonly title: string;
  readonly rows: readonly string[];
  readonly chosen: number;
}

/** What the screen shows at one moment. */
export interface ChatSnapshot {
  readonly state: ChatState;
  readonly status: ChatStatus;
  /** A sign-in that waits for the person. */
  readonly login: ChatLogin | undefined;
  /** Asked before something that can't be undone; the next line answers it. */
  readonly question: string | undefined;
  /** A conversation is to be chosen from these. */
  readonly picker: Picker | undefined;
  /** Colours by name. */
  readonly theme: ThemeName;
  /** Something is going on that Esc can stop, and that the next line has to wait for. */
  readonly busy: boolean;
  /** Sent while it was busy: taken one by one as soon as it no longer is. */
  readonly queued: readonly string[];
  /** It is over: what was printed stays, and nothing goes on below it. */
  readonly ended: boolean;
}
