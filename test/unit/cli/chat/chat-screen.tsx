import { PassThrough, type Writable } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { render } from 'ink';
import { expect, onTestFinished } from 'vitest';
import { ChatApp } from '../../../../src/cli/chat/chat-app.tsx';
import { runChatCommand } from '../../../../src/cli/chat/chat-commands.ts';
import type { ChatDriver, ChatStatus } from '../../../../src/cli/chat/chat-driver.ts';
import { ChatSession } from '../../../../src/cli/chat/chat-session.ts';
import type { ThemeName } from '../../../../src/config/theme-name.ts';
import type { Clock } from '../../../../src/machine/clock.ts';
import { manualClock } from '../manual-clock.ts';
import { NOW } from '../sample-events.ts';

export const status: ChatStatus = {
  connected: true,
  profile: 'sandbox',
  environment: 'PAPER',
  simulated: true,
  withheld: undefined,
  model: 'built-in planner',
  user: 'Alice Adams',
  value: '$100,123.45',
  phone: 'http://127.0.0.1:4710/phone',
};

export interface ChatLook {
  readonly columns?: number;
  readonly rows?: number;
  readonly status?: ChatStatus;
  readonly theme?: ThemeName;
  readonly unicode?: boolean;
  readonly color?: boolean;
  readonly spoken?: boolean;
  readonly clock?: Clock;
  /** Takes what is drawn as Ink draws it, instead of whole frames. */
  readonly output?: Writable;
}

/** The chat on a terminal in memory. */
export function openScreen(driver: ChatDriver, look: ChatLook = {}) {
  const { columns = 80, rows = 24, spoken = false, clock = manualClock(NOW), theme, output } = look;
  const stdin = Object.assign(new PassThrough(), {
    isTTY: true,
    setRawMode: () => undefined,
    ref: () => undefined,
    unref: () => undefined,
  });
  const kept: string[] = [];
  let frame = '';
  const stdout = Object.assign(output ?? new PassThrough(), { isTTY: true, columns, rows });
  if (output === undefined) {
    stdout.on('data', (chunk: Buffer) => {
      if (chunk.toString('utf8').trim() !== '') frame = chunk.toString('utf8');
    });
  }
  const session = new ChatSession({
    driver,
    runCommand: runChatCommand,
    clock,
    status: look.status ?? status,
    ...(theme === undefined ? {} : { theme }),
    onQuit: () => app.unmount(),
  });
  const app = render(
    <ChatApp
      session={session}
      clock={clock}
      version="1.2.3"
      unicode={look.unicode ?? true}
      color={look.color ?? true}
      spoken={spoken}
      history={{ entries: ['an earlier line'], add: (entry) => kept.push(entry) }}
      phoneQr={[]}
    />,
    {
      stdin,
      stdout: stdout as unknown as NodeJS.WriteStream,
      debug: output === undefined,
      exitOnCtrlC: false,
      patchConsole: false,
      interactive: true,
      isScreenReaderEnabled: spoken,
    },
  );
  onTestFinished(() => app.unmount());
  /** The whole screen as last written, without colors. */
  const screen = () => stripVTControlCharacters(frame);
  const shows = async (text: string | RegExp) => {
    const wanted = typeof text === 'string' ? expect.stringContaining(text) : expect.stringMatching(text);
    await expect.poll(screen, { timeout: 5000 }).toEqual(wanted);
  };
  const type = (text: string) => stdin.write(text);
  return {
    session,
    kept,
    type,
    shows,
    screen,
    frame: () => frame,
    exited: () => app.waitUntilExit(),
    /** Types, and waits for what it brings. */
    async turn(typed: string, shown: string | RegExp) {
      type(typed);
      await shows(shown);
    },
  };
}
