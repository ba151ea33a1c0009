import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { TradeAgentError } from '../../trading/errors.ts';
import { type Cli, runCommand } from '../cli.ts';
import type { AgentOptions, Context } from '../context.ts';
import { examples, exitCodes } from '../help.ts';

interface ChatOptions extends AgentOptions {
  readonly thread?: string;
}

export function addChatCommand(program: Command, cli: Cli): void {
  program
    .command('chat')
    .description('talk with the agent (what happens without a command)')
    .option('--thread <id>', 'go on with an earlier conversation')
    .option('--read-only', 'use tokens that can only read')
    .option('--model <name>', 'the model; "builtin" is the offline planner')
    .option('--base-url <url>', 'a server that speaks the OpenAI chat API')
    .addHelpText('after', examples([['trade-agent', '']]) + exitCodes([11]))
    .action((options: ChatOptions, command: Command) =>
      runCommand(cli, command, (context) => chat(context, options)),
    );
}

export async function chat(context: Context, options: ChatOptions): Promise<void> {
  const { io, env } = context;
  if (!io.stdinIsTty || !io.stdoutIsTty) {
    throw new TradeAgentError('usage', 'the chat needs a terminal', {
      hint: 'In scripts use: trade-agent run "what do I own"',
    });
  }
  await offerSandbox(context);
  // Ink colours by what its own library finds in the environment, which knows neither NO_COLOR nor --no-color.
  if (!io.color.stdout) env.FORCE_COLOR = '0';
  const { startChat } = await import('../chat/start-chat.tsx');
  await startChat(context, options);
}

/** The first time, without any profile: says that it will use the sandbox, and lets the person think again. */
async function offerSandbox(context: Context): Promise<void> {
  const { io, env, signal } = context;
  if (context.profileName !== undefined || env.TRADE_AGENT_SANDBOX) return;
  const { profiles, default_profile } = await context.config();
  const { sandbox } = await context.home();
  if (default_profile !== undefined || Object.keys(profiles).length > 0 || existsSync(sandbox)) return;
  io.talk(
    'No profile is configured yet. trade-agent can run on its sandbox: a simulated broker and phone on this machine, no real money.',
  );
  await io.prompt('Press Enter to go on, Ctrl-C to stop. ', signal);
}
