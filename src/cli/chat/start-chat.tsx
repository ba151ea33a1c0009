import { render } from 'ink';
import type { AgentOptions } from '../../app/app.ts';
import { resumeCommand } from '../../app/run.ts';
import { version } from '../../app/version.ts';
import { safeLine } from '../../text/shown-text.ts';
import { defined } from '../../values/defined.ts';
import type { Context } from '../context/context.ts';
import { callToPhone } from '../run/call-to-phone.ts';
import { sizedTerminal } from '../terminal/sized-terminal.ts';
import { approvalOutcome } from '../text/approval-lines.ts';
import { ChatApp } from './chat-app.tsx';
import { runChatCommand } from './chat-commands.ts';
import { ChatSession } from './chat-session.ts';
import { contextDriver, firstStatus } from './context-driver.ts';
import { frameEraser } from './frame-eraser.ts';
import { noHistory, openInputHistory, wantsHistory } from './input-history.ts';

/** The smallest terminal with room for a QR code beside an order's fields. */
const QR_COLUMNS = 100;
const QR_ROWS = 30;

export interface ChatOptions extends AgentOptions {
  readonly thread?: string;
  readonly screenReader?: boolean;
}

/** Runs the chat on the terminal until the person leaves it. @returns the profile to open next, if one was chosen */
export async function startChat(context: Context, options: ChatOptions): Promise<string | undefined> {
  const { io, clock, signal, env } = context;
  const spoken = options.screenReader ?? env.INK_SCREEN_READER === 'true';
  // Both may write to the terminal (a sandbox that starts, a warning of the store), so they come first.
  const status = await firstStatus(context, options);
  await (await context.store()).unlock();
  const history = wantsHistory(await context.config(), env)
    ? openInputHistory((await context.home()).data)
    : noHistory;
  let end: () => void = () => undefined;
  const session = new ChatSession({
    driver: contextDriver(context, options, spoken),
    runCommand: runChatCommand,
    clock,
    status,
    theme: await context.theme(),
    ...defined({ thread: options.thread }),
    onQuit: () => end(),
  });
  // Ink does so only after its first frame: until then the terminal would edit and echo what is typed.
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
      stdout: frameEraser(sizedTerminal(io.stdout), env),
      exitOnCtrlC: false,
      patchConsole: false,
      // Ink takes a terminal in a CI job for none.
      interactive: true,
      isScreenReaderEnabled: spoken,
    },
  );
  end = () => app.unmount();
  // Lines of --verbose would otherwise be written into the middle of the frame.
  io.divertTalk((line) => session.add({ type: 'note', text: safeLine(line) }));
  const stop = () => void session.quit();
  signal.addEventListener('abort', stop, { once: true });
  const attention = await context.attention();
  const call = callToPhone(attention);
  const unsubscribe = session.subscribe(() =>
    call(session.snapshot().state.runs.flatMap(({ approvals }) => approvals)),
  );
  void session.connect();
  await app.waitUntilExit();
  io.divertTalk(undefined);
  unsubscribe();
  attention.calm();
  signal.removeEventListener('abort', stop);

  for (const { thread, approvals } of session.snapshot().state.pending) {
    for (const approval of approvals)
      io.talk(`Still pending: ${approvalOutcome(approval)} (${approval.code})`);
    io.talk(`  go on with: ${resumeCommand(thread, context.chosenBy)}`);
  }
  // A signal or a time limit ended it, not the person.
  signal.throwIfAborted();
  return session.nextProfile;
}

async function phoneQr({ io }: Context, phone: string | undefined): Promise<readonly string[]> {
  if (phone === undefined || io.width() < QR_COLUMNS || (io.stdout.rows ?? 0) < QR_ROWS) return [];
  const { qrRows } = await import('../text/qr-code.ts');
  return qrRows(phone, { columns: io.width(), rows: io.stdout.rows ?? 0, unicode: io.unicode });
}
