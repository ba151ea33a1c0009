import { exitCodes } from '../../../app/exit-codes.ts';
import { TradeAgentError } from '../../../errors/errors.ts';
import type { ChatOptions } from '../../chat/start-chat.tsx';
import type { CliCommand } from '../../context/cli-command.ts';
import type { Context } from '../../context/context.ts';

export function addChatCommand(program: CliCommand): void {
  program
    .command('chat')
    .description('chat with the agent (default)')
    .option('--thread <id>', 'ID of the conversation to continue; a new ID starts a new conversation')
    .option('--read-only', 'use read-only tokens: nothing can be proposed or canceled')
    .option('--model <name>', 'the model to use; "builtin" is the offline planner')
    .option('--base-url <url>', 'URL of a server with an OpenAI-compatible chat API')
    .option('--screen-reader', 'output for screen readers (or set INK_SCREEN_READER=true)')
    .examples(
      ['trade-agent', ''],
      ['trade-agent chat --model builtin', 'offline and free'],
      ['trade-agent chat --screen-reader', 'no boxes or animations'],
    )
    .exits(exitCodes.credentialStore)
    .action((options: ChatOptions, command: CliCommand) => runChats(program, command, options));
}

/** Runs a chat and, if the person switches profiles, another chat with a new context. */
async function runChats(program: CliCommand, command: CliCommand, options: ChatOptions): Promise<void> {
  let chatOptions = options;
  for (;;) {
    let next: string | undefined;
    await command.runInContext(async (context) => {
      next = await openChat(context, chatOptions);
    });
    if (next === undefined) return;
    program.setOptionValue('profile', next);
    program.setOptionValue('server', undefined);
    // Drops the thread, because it belongs to the previous profile.
    const { thread: _, ...others } = chatOptions;
    chatOptions = others;
  }
}

/** Opens the chat. @returns the profile that the person switched to, if any */
export async function openChat(context: Context, options: ChatOptions): Promise<string | undefined> {
  const { io, env } = context;
  if (!io.stdinIsTty || !io.stdoutIsTty) {
    throw new TradeAgentError('usage', 'the chat needs a terminal', {
      hint: 'In scripts use: trade-agent run "what do I own"',
    });
  }
  if (env.TERM === 'dumb') {
    // Rejects a dumb terminal, such as an editor's shell window, which would print all frames and their escape
    // sequences.
    throw new TradeAgentError('usage', 'this terminal (TERM=dumb) does not support the chat', {
      hint: 'Ask single questions instead: trade-agent run "what do I own"',
    });
  }
  const { setUpOnFirstRun } = await import('./first-run.ts');
  if (!(await setUpOnFirstRun(context))) return undefined;
  // Ink's color library only reads FORCE_COLOR, not NO_COLOR or --no-color.
  if (!io.color.stdout) env.FORCE_COLOR = '0';
  // Loads the screen while the store opens, because reading its credentials may start a process.
  const storing = context.store();
  storing.catch(() => undefined);
  const { startChat } = await import('../../chat/start-chat.tsx');
  return startChat(context, options);
}
