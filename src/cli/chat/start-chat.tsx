import { stripVTControlCharacters } from 'node:util';
import { render } from 'ink';
import stringWidth from 'string-width';
import type { AgentOptions } from '../../app/app.ts';
import { formatResumeCommand } from '../../app/run.ts';
import { version } from '../../app/version.ts';
import { safeLine } from '../../text/sanitize.ts';
import { defined } from '../../values/defined.ts';
import type { Context } from '../context/context.ts';
import { createPhoneAlerter } from '../run/phone-alerter.ts';
import { withDefaultSize } from '../terminal/default-size.ts';
import type { OutputStream } from '../terminal/io.ts';
import { approvalOutcome } from '../text/approval-lines.ts';
import { ChatApp } from './chat-app.tsx';
import { runChatCommand } from './chat-commands.ts';
import { createChatDriver, initialChatStatus } from './chat-driver.ts';
import { ChatSession } from './chat-session.ts';
import { isHistoryEnabled, noHistory, openInputHistory } from './input-history.ts';

/** Minimum size of a terminal in which a QR code fits next to an order's fields. */
const MIN_QR_COLUMNS = 100;
const MIN_QR_ROWS = 30;

export interface ChatOptions extends AgentOptions {
  readonly thread?: string;
  readonly screenReader?: boolean;
  /** Whether the account is deleted after the chat. If so, nothing can be resumed. */
  readonly temporary?: boolean;
}

/** Runs the chat on the terminal until the person quits. @returns the profile to open next, if one was chosen */
export async function startChat(context: Context, options: ChatOptions): Promise<string | undefined> {
  const { io, clock, signal, env } = context;
  const spoken = options.screenReader ?? env.INK_SCREEN_READER === 'true';
  // Starting a sandbox and opening the store may write to the terminal, so both happen before the chat draws its
  // screen.
  const status = await initialChatStatus(context, options);
  await (await context.store()).unlock();
  const history = isHistoryEnabled(await context.config(), env)
    ? openInputHistory((await context.home()).data)
    : noHistory;
  let end: () => void = () => undefined;
  const session = new ChatSession({
    driver: createChatDriver(context, options, spoken),
    runCommand: runChatCommand,
    clock,
    status,
    theme: await context.theme(),
    ...defined({ thread: options.thread }),
    onQuit: () => end(),
  });
  // Ink sets raw mode only after its first frame. Until then, the terminal would echo the input.
  io.stdin.setRawMode?.(true);
  const app = render(
    <ChatApp
      session={session}
      clock={clock}
      version={version()}
      unicode={io.unicode}
      color={io.color.stdout}
      spoken={spoken}
      history={history}
      phoneQr={spoken ? [] : await phoneQr(context, status.phone)}
    />,
    {
      stdout: createFrameEraser(withDefaultSize(io.stdout), env),
      exitOnCtrlC: false,
      patchConsole: false,
      // Set explicitly, because Ink assumes that a CI job has no terminal.
      interactive: true,
      isScreenReaderEnabled: spoken,
    },
  );
  end = () => app.unmount();
  // Shows log lines (`--verbose`) in the chat, because they would otherwise appear in the middle of a frame.
  io.divertTalk((line) => session.add({ type: 'note', text: safeLine(line) }));
  const stop = () => void session.quit();
  signal.addEventListener('abort', stop, { once: true });
  const attention = await context.attention();
  const call = createPhoneAlerter(attention);
  const unsubscribe = session.subscribe(() =>
    call(session.snapshot().state.runs.flatMap(({ approvals }) => approvals)),
  );
  void session.connect();
  await app.waitUntilExit();
  io.divertTalk(undefined);
  unsubscribe();
  attention.clear();
  signal.removeEventListener('abort', stop);

  for (const { thread, approvals } of session.snapshot().state.pending) {
    for (const approval of approvals) io.talk(`Still pending: ${approvalOutcome(approval)} (${approval.code})`);
    if (options.temporary !== true) io.talk(`  resume with: ${formatResumeCommand(thread, context.profileOptions)}`);
  }
  // Throws if a signal or the time limit ended the chat.
  signal.throwIfAborted();
  return session.nextProfile;
}

async function phoneQr({ io }: Context, phone: string | undefined): Promise<readonly string[]> {
  if (phone === undefined || io.width() < MIN_QR_COLUMNS || (io.stdout.rows ?? 0) < MIN_QR_ROWS) return [];
  const { qrRows } = await import('../text/qr-code.ts');
  return qrRows(phone, { columns: io.width(), rows: io.stdout.rows ?? 0, unicode: io.unicode });
}

/** Escape sequences `CSI 2 K` and `CSI 1 A`: erase the line, move up one line. */
const ERASE_LINE = '\u001b[2K';
const CURSOR_UP = '\u001b[1A';

/** A terminal's stream. `getWindowSize` returns the actual size. `columns` changes only after the resize signal. */
type SizedStream = OutputStream & { getWindowSize?(): [columns: number, rows: number] };

/**
 * Returns a stream between Ink and the terminal that erases frames completely after a resize. When a terminal gets
 * narrower, a frame takes more rows than Ink wrote, so Ink would erase too few rows, and part of an old frame would
 * stay, such as a panel with an old countdown. The stream remembers the last frame and also erases the additional rows.
 */
export function createFrameEraser(stdout: SizedStream, env: NodeJS.ProcessEnv): OutputStream {
  if (!reflowsOnResize(env)) return stdout;
  let frame: readonly string[] = [];
  const write = (...args: Parameters<OutputStream['write']>) => {
    const [chunk] = args;
    const text = typeof chunk === 'string' ? chunk : '';
    const erases = text.includes(ERASE_LINE);
    if (erases) {
      const [columns, rows] = terminalSize(stdout);
      const more = Math.min(additionalRows(frame, columns), rows);
      if (more > 0) stdout.write((ERASE_LINE + CURSOR_UP).repeat(more));
    }
    const seen = stripVTControlCharacters(text);
    // Ignores writes that consist of escape sequences, such as those of a synchronized update. They are not part of the
    // frame.
    if (erases || seen !== '') frame = seen.split('\n');
    return stdout.write(...args);
  };
  return new Proxy(stdout, {
    get(target, property) {
      if (property === 'write') return write;
      const value: unknown = Reflect.get(target, property);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

function terminalSize(stdout: SizedStream): [columns: number, rows: number] {
  return stdout.getWindowSize?.() ?? [stdout.columns ?? 80, stdout.rows ?? 24];
}

/** Returns how many additional rows the lines take because they wrap at this width. */
function additionalRows(lines: readonly string[], columns: number): number {
  return lines.reduce((sum, line) => sum + Math.max(0, Math.ceil(stringWidth(line) / columns) - 1), 0);
}

/**
 * Returns whether the terminal rewraps lines on resize. Other terminals cut off lines, so their lines never take more
 * rows.
 */
function reflowsOnResize(env: NodeJS.ProcessEnv): boolean {
  if (env.TMUX !== undefined) return true;
  const { TERM = '' } = env;
  return env.XTERM_VERSION === undefined && !/^(linux|screen|rxvt|vt\d|dumb)/.test(TERM);
}
