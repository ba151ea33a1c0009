import { exits } from '../../../app/exit-codes.ts';
import { TradeAgentError } from '../../../errors/errors.ts';
import type { ChatOptions } from '../../chat/start-chat.tsx';
import type { CliCommand } from '../../context/cli-command.ts';
import type { Context } from '../../context/context.ts';

export function addChatCommand(program: CliCommand): void {
  program
    .command('chat')
    .description('talk with the agent (what happens without a command)')
    .option('--thread <id>', 'the conversation to go on with; a new id begins one')
    .option('--read-only', 'use tokens that can only read')
    .option('--model <name>', 'the model; "builtin" is the offline planner')
    .option('--base-url <url>', 'a server that speaks the OpenAI chat API')
    .option('--screen-reader', 'write to be read aloud (INK_SCREEN_READER=true does too)')
    .examples(
      ['trade-agent', ''],
      ['trade-agent chat --model builtin', 'offline and free'],
      ['trade-agent chat --screen-reader', 'no frames and no moving signs'],
    )
    .exits(exits.credentialStore)
    .action((options: ChatOptions, command: CliCommand) => chats(program, command, options));
}

/** One chat after another, each with its own context, as long as the person switches profiles. */
async function chats(program: CliCommand, command: CliCommand, options: ChatOptions): Promise<void> {
  let chatOptions = options;
  for (;;) {
    let next: string | undefined;
    await command.runInContext(async (context) => {
      next = await chat(context, chatOptions);
    });
    if (next === undefined) return;
    program.setOptionValue('profile', next);
    program.setOptionValue('server', undefined);
    // A thread belongs to the profile it was begun under.
    const { thread: _, ...others } = chatOptions;
    chatOptions = others;
  }
}

/** @returns the profile to open next, if one was chosen */
async function chat(context: Context, options: ChatOptions): Promise<string | undefined> {
  const { io, env } = context;
  if (!io.stdinIsTty || !io.stdoutIsTty) {
    throw new TradeAgentError('usage', 'the chat needs a terminal', {
      hint: 'In scripts use: trade-agent run "what do I own"',
    });
  }
  if (env.TERM === 'dumb') {
    // An editor's shell window would print every redraw below the last one, escape sequences included.
    throw new TradeAgentError('usage', 'this terminal (TERM=dumb) cannot be drawn on', {
      hint: 'Ask one question at a time with: trade-agent run "what do I own"',
    });
  }
  const { firstRun } = await import('./first-run.ts');
  if (!(await firstRun(context))) return undefined;
  // Ink's color library reads the environment, and knows neither NO_COLOR nor --no-color.
  if (!io.color.stdout) env.FORCE_COLOR = '0';
  // Reading the credentials may start a process; the screen is loaded meanwhile.
  const storing = context.store();
  storing.catch(() => undefined);
  const { startChat } = await import('../../chat/start-chat.tsx');
  return startChat(context, options);
}
