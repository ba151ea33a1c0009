import type { Io } from './io.ts';

/** Rings for a person who is looking elsewhere: bell, the desktop's notification, and the window's title. */
export interface Attention {
  /** The phone is needed. */
  ring(text: string): void;
  /** It no longer is: the title is as it was. */
  calm(): void;
}

const BELL = '\u0007';
/** The title is put aside, and fetched again (XTWINOPS 22 and 23). */
const SAVE_TITLE = '\u001b[22;2t';
const RESTORE_TITLE = '\u001b[23;2t';

export const noAttention: Attention = { ring: () => undefined, calm: () => undefined };

/**
 * What this terminal takes, on stderr, since it is talk. Nothing where stderr is no terminal, in a CI job, or where
 * config.yaml has `attention: false`.
 * @see https://iterm2.com/documentation-escape-codes.html (OSC 9); urxvt-notify and foot.ini, "OSC 777"
 */
export function createAttention(io: Io, env: NodeJS.ProcessEnv, wanted: boolean): Attention {
  if (!wanted || !io.stderrIsTty || !io.interactive || env.TERM === 'dumb' || env.TERM === 'linux')
    return noAttention;
  let titled = false;
  return {
    ring(text) {
      const line = plainLine(text);
      const title = `${titled ? '' : SAVE_TITLE}\u001b]2;trade-agent: ${line}${BELL}`;
      titled = true;
      io.stderr.write(BELL + title + notification(env, line));
    },
    calm() {
      if (titled) io.stderr.write(RESTORE_TITLE);
      titled = false;
    },
  };
}

/** The notification of this terminal's dialect; others would print it, or take it for something else. */
function notification(env: NodeJS.ProcessEnv, line: string): string {
  // Within tmux and screen the bell is what reaches the person.
  if (env.TMUX !== undefined || /^(screen|tmux)/.test(env.TERM ?? '')) return '';
  if (['iTerm.app', 'WezTerm', 'ghostty'].includes(env.TERM_PROGRAM ?? '')) return `\u001b]9;${line}${BELL}`;
  if (/^(rxvt|foot)/.test(env.TERM ?? '')) return `\u001b]777;notify;trade-agent;${line}${BELL}`;
  return '';
}

/** Nothing that could end the sequence, or begin another; semicolons part its fields. */
function plainLine(text: string): string {
  return text
    .replace(/[\u0000-\u001f\u007f-\u009f]/g, ' ')
    .replaceAll(';', ',')
    .slice(0, 120);
}
