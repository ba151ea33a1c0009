import { createInterface } from 'node:readline/promises';
import type { AskForApproval, DemoEvent, DemoScene } from '../../../app/demo.ts';
import { exitCodes } from '../../../app/exit-codes.ts';
import type { Cli, GlobalOptions } from '../../context/cli.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import type { Output } from '../../context/output.ts';
import type { Io } from '../../terminal/io.ts';
import { TerminalMarkdown } from '../../text/markdown.ts';
import { wrapWords } from '../../text/wrap.ts';

export function addDemoCommand(program: CliCommand): void {
  program
    .command('demo')
    .description('run through everything in a temporary sandbox: sign in, order, approval on the phone, fill')
    .examples(['trade-agent demo', 'in a terminal, you approve and continue in the chat'])
    .exits(exitCodes.timedOut)
    .action(async (_options, command: CliCommand) =>
      printDemo(program.cli, command.optsWithGlobals<GlobalOptions>(), await command.openOutput()),
    );
}

async function printDemo(cli: Cli, globals: GlobalOptions, output: Output): Promise<void> {
  const { io, env, interruption } = cli;
  const { playDemo } = await import('../../../app/demo.ts');
  // For people, the demo is the result, so the text goes to stdout. For programs, the text goes to stderr.
  const say = (text: string) => (output.format === 'text' ? io.print(text) : io.talk(text));
  const interactive = io.interactive && io.stdoutIsTty && output.format === 'text';
  const chat = async (chatEnv: NodeJS.ProcessEnv) => {
    const [{ createContext }, { openChat }] = await Promise.all([
      import('../../context/context.ts'),
      import('../chat/chat.ts'),
    ]);
    const context = createContext({ ...cli, env: chatEnv }, globals, output, (line) => io.talk(line));
    try {
      await openChat(context, { temporary: true });
    } finally {
      await context.close();
    }
  };
  const script = createScript(io.stdoutIsTty ? io.width() : Number.POSITIVE_INFINITY, say);
  const { audit } = await playDemo(
    { env, signal: interruption.signal },
    { show: script, person: interactive ? { approve: (page) => askPerson(io, say, page), chat } : undefined },
  );
  const done = 'Done; the demo has deleted its sandbox. Start the chat with "trade-agent" ("npm start" in a checkout).';
  if (interactive) return say(done);
  await output.result('demo', { audit }, () => `\n${done}`);
}

/** Indentation of the commands' output. */
const OUTPUT_INDENT = '     ';

/** Returns a function that prints the demo's events. The commands write Markdown, as they do to any pipe. */
function createScript(columns: number, say: (text: string) => void): (event: DemoEvent) => void {
  const width = columns - OUTPUT_INDENT.length;
  let markdown = new TerminalMarkdown(width);
  const sayLines = (lines: string) => {
    if (lines === '') return;
    for (const line of lines
      .replace(/\n$/, '')
      .split('\n')
      .flatMap((long) => fitLine(long, width))) {
      say(`${OUTPUT_INDENT}${line}`.trimEnd());
    }
  };
  return (event) => {
    if (event.type === 'line') return sayLines(markdown.write(`${shortenIds(event.text)}\n`));
    sayLines(markdown.end());
    markdown = new TerminalMarkdown(width);
    if (event.type !== 'join') return say(wrapLines(eventText(event), columns));
    say(wrapLines(JOIN_TEXT, columns));
    say(`\n   export ${exportedVariables(event.env)}`);
  };
}

/** Shortens the IDs in the table of orders. The commands print full IDs, because they don't write to a terminal. */
function shortenIds(line: string): string {
  return line.replace(/^([0-9a-f]{8})(-[0-9a-f]{4}){3}-[0-9a-f]{12} /, '$1 ').replace(/^ID {29}/, 'ID ');
}

/** Wraps a line between words and keeps its indentation. Truncates table rows instead, to keep columns aligned. */
function fitLine(line: string, width: number): string[] {
  if (line.length <= width) return [line];
  if (/\S {2,}\S.* {2,}\S/.test(line)) return [`${line.slice(0, width - 1)}…`];
  const indent = /^ */.exec(line)?.[0] ?? '';
  return wrapWords(line, width - indent.length).map((part) => indent + part);
}

function wrapLines(text: string, width: number): string {
  return text
    .split('\n')
    .flatMap((line) => fitLine(line, width))
    .join('\n');
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

function eventText(event: Exclude<DemoEvent, { type: 'join' | 'line' }>): string {
  switch (event.type) {
    case 'scene':
      return scenes[event.scene];
    case 'command':
      return `   ${event.who} $ trade-agent ${event.args.map((arg) => (/\s/.test(arg) ? `"${arg}"` : arg)).join(' ')}`;
    case 'record':
      return `   ${recordLine(event.entry)}`;
  }
}

const JOIN_TEXT = 'Until the demo ends, you can try commands in another terminal after setting these variables:';

/** Returns the environment variables for using this sandbox in another terminal. */
function exportedVariables(env: Readonly<Record<string, string>>): string {
  return Object.entries(env)
    .map(([name, value]) => `${name}='${value.replaceAll("'", `'\\''`)}'`)
    .join(' ');
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
