import type { Io } from './io.ts';

/** Alerts a person who is looking elsewhere, with the bell, a desktop notification and the window title. */
export interface Attention {
  alert(text: string): void;
  clear(): void;
}

const BELL = '\u0007';
/** Escape sequences that save and restore the window title (XTWINOPS 22 and 23). */
const SAVE_TITLE = '\u001b[22;2t';
const RESTORE_TITLE = '\u001b[23;2t';

export const noAttention: Attention = { alert: () => undefined, clear: () => undefined };

/**
 * Creates the alerts that this terminal supports, on stderr. They do nothing if stderr is not a terminal, in a CI job,
 * or with `attention: false` in config.yaml.
 * @see https://iterm2.com/documentation-escape-codes.html (OSC 9); urxvt-notify and foot.ini (OSC 777)
 */
export function createAttention(io: Io, env: NodeJS.ProcessEnv, wanted: boolean): Attention {
  if (!wanted || !io.stderrIsTty || !io.interactive || env.TERM === 'dumb' || env.TERM === 'linux') return noAttention;
  let titled = false;
  return {
    alert(text) {
      const line = plainLine(text);
      const title = `${titled ? '' : SAVE_TITLE}\u001b]2;trade-agent: ${line}${BELL}`;
      titled = true;
      io.stderr.write(BELL + title + notification(env, line));
    },
    clear() {
      if (titled) io.stderr.write(RESTORE_TITLE);
      titled = false;
    },
  };
}

/** Returns the sequence for a desktop notification; empty for terminals that would print or misinterpret it. */
function notification(env: NodeJS.ProcessEnv, line: string): string {
  // tmux and screen forward only the bell to the person's terminal.
  if (env.TMUX !== undefined || /^(screen|tmux)/.test(env.TERM ?? '')) return '';
  if (['iTerm.app', 'WezTerm', 'ghostty'].includes(env.TERM_PROGRAM ?? '')) return `\u001b]9;${line}${BELL}`;
  if (/^(rxvt|foot)/.test(env.TERM ?? '')) return `\u001b]777;notify;trade-agent;${line}${BELL}`;
  return '';
}

/** Removes characters that could end the escape sequence, start another one, or separate its fields. */
function plainLine(text: string): string {
  return text
    .replace(/[\u0000-\u001f\u007f-\u009f]/g, ' ')
    .replaceAll(';', ',')
    .slice(0, 120);
}
