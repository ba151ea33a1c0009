import { createInterface } from 'node:readline/promises';
import type { AskPerson, DemoEvent, DemoScene } from '../../../app/demo.ts';
import { exits } from '../../../app/exit-codes.ts';
import type { Cli } from '../../context/cli.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import type { Output } from '../../context/output.ts';
import type { Io } from '../../terminal/io.ts';

export function addDemoCommand(program: CliCommand): void {
  program
    .command('demo')
    .description('play the whole loop on a throw-away sandbox: sign in, order, approval on the phone, fill')
    .examples(['trade-agent demo', 'with a terminal you approve, and go on in the chat'])
    .exits(exits.timedOut)
    .action(async (_options, command: CliCommand) => printDemo(program.cli, await command.openOutput()));
}

async function printDemo({ io, env, interruption }: Cli, output: Output): Promise<void> {
  const { playDemo } = await import('../../../app/demo.ts');
  // The demo is the result for people; for a program it is talk.
  const say = (text: string) => (output.format === 'text' ? io.print(text) : io.talk(text));
  const interactive = io.interactive && io.stdoutIsTty && output.format === 'text';
  const { audit } = await playDemo(
    { env, signal: interruption.signal },
    {
      show: (event) => say(eventText(event)),
      person: interactive ? (page) => askPerson(io, say, page) : undefined,
    },
  );
  if (interactive) return;
  await output.result(
    'demo',
    { audit },
    () => '\nDone. Start the chat with "trade-agent" ("npm start" in a checkout).',
  );
}

const scenes: Readonly<Record<DemoScene, string>> = {
  opening:
    'trade-agent demo: a simulated broker, identity provider and phone, all on this machine. No real money.',
  sign_in: title('1. Sign in: the terminal shows a code, the phone confirms it'),
  portfolio: title('2. The portfolio'),
  order: title('3. A sentence becomes an order, and waits for the phone'),
  hang_up: title('4. The terminal is closed in the middle of it: the last that the run says'),
  nobody_there: '   Now nothing of the agent is running any more.',
  phone: title('5. The phone shows the same order and the same code'),
  told: title('6. The gateway has checked the approval, and traded: a new terminal is only told'),
  record: title('7. What the gateway’s record says'),
  chat: '\nOver to you: the chat, on this same sandbox. Try "sell half my MSFT". /quit ends it.\n',
};

function title(text: string): string {
  return `\n── ${text}`;
}

function eventText(event: DemoEvent): string {
  switch (event.type) {
    case 'scene':
      return scenes[event.scene];
    case 'join':
      return joinText(event.env);
    case 'command':
      return `   ${event.who} $ trade-agent ${event.args.map((arg) => (/\s/.test(arg) ? `"${arg}"` : arg)).join(' ')}`;
    case 'line':
      return `     ${event.text}`;
    case 'record':
      return `   ${recordLine(event.entry)}`;
  }
}

/** Makes the commands shown work on this sandbox in another terminal too. */
function joinText(env: Readonly<Record<string, string>>): string {
  const settings = Object.entries(env).map(([name, value]) => `${name}='${value.replaceAll("'", `'\\''`)}'`);
  return [
    'Until it ends you can play along in another terminal, which must first be told of this sandbox:',
    '',
    `   export ${settings.join(' ')}`,
  ].join('\n');
}

function recordLine({ at, event, type, code, status, order }: Readonly<Record<string, unknown>>): string {
  return [at, event ?? type, code, status, order]
    .filter((part) => typeof part === 'string' && part !== '')
    .join('  ');
}

/** The person taps on the phone page, or presses Enter to use the terminal's phone instead. */
async function askPerson(
  io: Io,
  say: (text: string) => void,
  { url, user, tapped }: Parameters<AskPerson>[0],
): Promise<'tapped' | 'here'> {
  say(`   Set up a browser of this machine as ${user}'s phone (the link works once):\n\n     ${url}\n`);
  const input = createInterface({ input: io.stdin, output: io.stdout });
  const decided = new AbortController();
  const typed = input.question('   Approve there, or press Enter to approve with the terminal’s phone: ', {
    signal: decided.signal,
  });
  const how = await Promise.race([
    tapped.then(() => 'tapped' as const),
    typed.then(() => 'here' as const).catch(() => 'tapped' as const),
  ]);
  decided.abort();
  input.close();
  io.print('');
  return how;
}
