import { createInterface } from 'node:readline/promises';
import type { AskForApproval, DemoEvent, DemoScene } from '../../../app/demo.ts';
import { exitCodes } from '../../../app/exit-codes.ts';
import type { Cli } from '../../context/cli.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import type { Output } from '../../context/output.ts';
import type { Io } from '../../terminal/io.ts';

export function addDemoCommand(program: CliCommand): void {
  program
    .command('demo')
    .description('run through everything in a temporary sandbox: sign in, order, approval on the phone, fill')
    .examples(['trade-agent demo', 'in a terminal, you approve and continue in the chat'])
    .exits(exitCodes.timedOut)
    .action(async (_options, command: CliCommand) => printDemo(program.cli, await command.openOutput()));
}

async function printDemo({ io, env, interruption }: Cli, output: Output): Promise<void> {
  const { playDemo } = await import('../../../app/demo.ts');
  // For people, the demo is the result, so the text goes to stdout. For programs, the text goes to stderr.
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
  opening: 'trade-agent demo: a simulated broker, identity provider and phone, all on this machine. No real money.',
  sign_in: title('1. Sign in: the terminal shows a code, the phone confirms it'),
  portfolio: title('2. The portfolio'),
  order: title('3. A sentence becomes an order that waits for the phone'),
  hang_up: title('4. The terminal is closed while it waits. The last output of the run:'),
  nobody_there: '   Now no part of the agent is running.',
  phone: title('5. The phone shows the same order and the same code'),
  told: title('6. The gateway has verified the approval and traded. A new terminal shows the outcome'),
  record: title('7. The gateway’s audit log'),
  chat: '\nYour turn: the chat, in the same sandbox. Try "sell half my MSFT". Type /quit to end it.\n',
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

/** Returns the environment variables for using this sandbox in another terminal. */
function joinText(env: Readonly<Record<string, string>>): string {
  const settings = Object.entries(env).map(([name, value]) => `${name}='${value.replaceAll("'", `'\\''`)}'`);
  return [
    'Until the demo ends, you can try commands in another terminal after setting these variables:',
    '',
    `   export ${settings.join(' ')}`,
  ].join('\n');
}

function recordLine({ at, event, type, code, status, order }: Readonly<Record<string, unknown>>): string {
  return [at, event ?? type, code, status, order].filter((part) => typeof part === 'string' && part !== '').join('  ');
}

/** Waits until the person approves on the phone page, or presses Enter to use the phone in the terminal instead. */
async function askPerson(
  io: Io,
  say: (text: string) => void,
  { url, user, tapped }: Parameters<AskForApproval>[0],
): Promise<'tapped' | 'here'> {
  say(`   Set up a browser on this machine as ${user}'s phone (the link works once):\n\n     ${url}\n`);
  const input = createInterface({ input: io.stdin, output: io.stdout });
  const decided = new AbortController();
  const typed = input.question('   Approve on that page, or press Enter to approve with the terminal’s phone: ', {
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
