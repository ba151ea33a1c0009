import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { launcher } from './world.ts';

/** A screen that has not come to what a test waits for by then never will. */
const LIMIT_MS = 20_000;
const LOOK_EVERY_MS = 40;

/** Whether there is a tmux. In CI there must be: a run that skips these tests shows nothing. */
export function hasTmux(): boolean {
  const found = spawnSync('tmux', ['-V']).status === 0;
  if (!found && process.env.CI === 'true') throw new Error('tmux is missing; .ci/run installs it');
  return found;
}

export interface Terminal {
  /** What is on the screen, without colors and empty rows at its end. */
  screen(): string;
  /** The screen with its colors, as escape sequences. */
  colors(): string;
  /** From now on, every byte that the program writes goes into this file too. */
  record(file: string): void;
  pid(): number;
  everything(): string;
  /** Sends text as typed; a line feed in it is Enter. */
  type(text: string): void;
  /** Keys by tmux's names: `C-c`, `Escape`, `Up`. */
  press(...keys: string[]): void;
  /** Text as a terminal pastes it, marked as such where the program asked for that. */
  paste(text: string): void;
  resize(columns: number, rows: number): void;
  shows(pattern: RegExp): Promise<string>;
  /** Types, and resolves with the screen once it matches. */
  turn(text: string, pattern: RegExp): Promise<string>;
  /** Resolves with the screen once it no longer matches. */
  hides(pattern: RegExp): Promise<string>;
  /** Resolves with all it printed, once the program has ended. */
  ended(): Promise<string>;
}

interface TerminalOptions {
  readonly args?: readonly string[];
  readonly command?: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly columns?: number;
  readonly rows?: number;
}

/** Opens the program in a terminal of its own until the test ends, with no more of an environment than it is given. */
export function openTerminal({
  command = [process.execPath, launcher],
  args = [],
  env,
  columns = 80,
  rows = 24,
}: TerminalOptions): Terminal {
  const folder = mkdtempSync(join(tmpdir(), 'trade-agent-tmux-'));
  const tmux = (...args: string[]) =>
    execFileSync('tmux', ['-S', join(folder, 'socket'), '-f', '/dev/null', ...args], {
      encoding: 'utf8',
      // tmux itself speaks UTF-8 whatever the program in it is told.
      env: { PATH: process.env.PATH, HOME: folder, LANG: 'C.UTF-8', TERM: 'xterm-256color' },
    });
  const variables = Object.entries({ TERM: 'tmux-256color', LANG: 'C.UTF-8', ...env })
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${value}`);
  tmux(
    // The pane must outlive its program, to be read afterwards.
    ...'start-server ; set-option -g remain-on-exit on ; set-option -g history-limit 9000 ;'.split(' '),
    ...`new-session -d -s test -x ${columns} -y ${rows} env -i`.split(' '),
    ...variables,
    ...command,
    ...args,
  );
  onTestFinished(() => {
    spawnSync('tmux', ['-S', join(folder, 'socket'), 'kill-server']);
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });
  const capture = (...args: string[]) => tmux('capture-pane', '-p', '-t', 'test', ...args).trimEnd();
  const until = async (what: string, check: () => string | undefined): Promise<string> => {
    const deadline = Date.now() + LIMIT_MS;
    for (;;) {
      const found = check();
      if (found !== undefined) return found;
      if (Date.now() > deadline) throw new Error(`the screen never ${what}; it was:\n${capture('-S', '-')}`);
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
  };
  /** The screen, unless it is just being drawn. */
  const still = (): string | undefined => {
    const screen = capture();
    return capture() === screen ? screen : undefined;
  };
  const type = (text: string) => {
    for (const [index, line] of text.split('\n').entries()) {
      if (index > 0) tmux('send-keys', '-t', 'test', 'Enter');
      if (line !== '') tmux('send-keys', '-t', 'test', '-l', '--', line);
    }
  };
  const shows = (pattern: RegExp) =>
    until(`showed ${pattern}`, () => {
      const screen = still();
      return screen !== undefined && pattern.test(screen) ? screen : undefined;
    });
  return {
    screen: () => capture(),
    colors: () => capture('-e'),
    record: (file) => tmux('pipe-pane', '-O', '-t', 'test', `cat > '${file}'`),
    pid: () => Number(tmux('display-message', '-p', '-t', 'test', '#{pane_pid}')),
    everything: () => capture('-S', '-'),
    type,
    press: (...keys) => tmux('send-keys', '-t', 'test', ...keys),
    paste: (text) => {
      tmux('set-buffer', '--', text);
      tmux('paste-buffer', '-p', '-t', 'test');
    },
    resize: (columns, rows) => tmux('resize-window', '-t', 'test', '-x', String(columns), '-y', String(rows)),
    shows,
    turn: (text, pattern) => {
      type(text);
      return shows(pattern);
    },
    hides: (pattern) =>
      until(`hid ${pattern}`, () => {
        const screen = still();
        return screen !== undefined && !pattern.test(screen) ? screen : undefined;
      }),
    ended: () =>
      until('ended', () =>
        tmux('display-message', '-p', '-t', 'test', '#{pane_dead}').trim() === '1' ? capture('-S', '-') : undefined,
      ),
  };
}

/** As a word of its own: some machines are called "vm". */
const machineName = new RegExp(`(?<![\\w-])${hostname().replaceAll('.', '\\.')}(?![\\w-])`, 'g');

/** A screen with amounts, times, codes, ids, ports and runs of blanks masked. */
export function frame(screen: string): string {
  return (
    screen
      .replace(/^Credentials of profile[\s\S]*?\.json\.\n/m, '')
      // Its last line, where the rest is scrolled out already.
      .replace(/^\S*\.json\.\n/, '')
      .replace(/(answers are stored in\n)[\s\S]*?\.\n\n/, '$1FILE.\n\n')
      .replace(/[-+]?\$[\d,]+(\.\d+)?/g, '$#')
      .replace(/\bLMT \d+\.\d+/g, 'LMT #')
      .replace(/[-+]?\d+\.\d+%/g, '#%')
      .replace(/\b\d+:\d\d(\s+)left/g, '#:##$1left')
      .replace(/\(\d+\.\d s\)/g, '(# s)')
      .replace(machineName, 'MACHINE')
      .replace(/localhost:\d+/g, 'localhost:PORT')
      .replace(/\bta-[\w-]+/g, 'ta-ID')
      .replace(/\bth_[a-z0-9]+/g, 'th_ID')
      .replace(/\bpr_[\w-]+/g, 'pr_ID')
      .replace(/\b[0-9A-HJKMNP-TV-Z]( [0-9A-HJKMNP-TV-Z]){3}\b/g, 'C O D E')
      .replace(/\([0-9A-HJKMNP-TV-Z]{4}\)/g, '(CODE)')
      .replace(/\b[A-Z0-9]{4}-[A-Z0-9]{4}\b/g, 'USER-CODE')
      .replace(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?/g, 'TIME')
      .replace(/[▁▂▃▄▅▆▇█]{2,}$/gm, '~')
      .replace(/(\$#) {2}[▁▂▃▄▅▆▇█]{2,}/g, '$1  ~')
      .replace(/^ *(\$#)? *[┤|][\u2800-\u28ff\s_'|┄▲▼-]*$/gm, '~')
      .replace(/(#%) {2}[█▉▊▋▌▍▎▏]+/g, '$1  ~')
      .replace(/your cost \$#( \((above|below)\))?/g, 'your cost $#')
      .replace(/(~\n)+~/g, '~')
      .replace(/\d{4}-\d\d-\d\d/g, 'DATE')
      .replace(/ {2,}/g, '  ')
      .replace(/[ \t]+$/gm, '')
      .replace(/trade-agent \d+\.\d+\.\d+/, 'trade-agent VERSION')
  );
}
