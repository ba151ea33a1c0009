import { render } from 'ink';
import type { AgentOptions, Context } from '../context.ts';
import { resumeCommand } from '../run-report.ts';
import { version } from '../version.ts';
import { ChatApp } from './chat-app.tsx';
import { ChatSession } from './chat-session.ts';
import { contextDriver } from './context-driver.ts';

/** Opens the chat on the terminal, and returns when the person leaves it. */
export async function startChat(
  context: Context,
  options: AgentOptions & { thread?: string },
): Promise<void> {
  const { io, clock, signal } = context;
  const driver = contextDriver(context, options);
  let end: () => void = () => undefined;
  const session = new ChatSession({
    driver,
    clock,
    status: await driver.status(),
    ...(options.thread === undefined ? {} : { thread: options.thread }),
    onQuit: () => end(),
  });
  const app = render(
    <ChatApp
      session={session}
      clock={clock}
      version={version()}
      unicode={io.unicode}
      color={io.color.stdout}
    />,
    { exitOnCtrlC: false, patchConsole: false },
  );
  end = () => app.unmount();
  const stop = () => void session.quit();
  signal.addEventListener('abort', stop, { once: true });
  await app.waitUntilExit();
  signal.removeEventListener('abort', stop);

  const { pendingThread } = session.snapshot().state;
  if (pendingThread !== undefined) {
    io.talk(
      `An approval is still pending; go on with: ${resumeCommand(pendingThread, context.profileOption)}`,
    );
  }
}
