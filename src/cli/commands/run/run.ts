import type { Command, Option } from 'commander';
import type { ApprovalMode, RunOptions } from '../../../agent/agent.ts';
import { TradeAgentError } from '../../../trading/errors.ts';
import { type Cli, runCommand } from '../../cli.ts';
import type { Context } from '../../context.ts';
import { choiceOption } from '../../options/choice.ts';
import { examples, exitCodes } from '../../options/help.ts';
import { contextLimits, readPrompt, readStdin } from '../../terminal/stdin-context.ts';

export interface RunCommandOptions {
  readonly approval: ApprovalMode;
  readonly readOnly?: boolean;
  readonly thread?: string;
  readonly maxTurns?: number;
  readonly cancelOnExit?: boolean;
  readonly model?: string;
  readonly baseUrl?: string;
}

export function addRunCommand(program: Command, cli: Cli): void {
  program
    .command('run')
    .summary('ask once, and end with the answer')
    .description(
      'Asks the agent once. Standard input that is not a terminal is read as context; "-" reads the prompt from it.',
    )
    .argument('[prompt]', 'what you want, in your own words')
    .addOption(approvalOption())
    .option('--cancel-on-exit', cancelOnExitHelp)
    .option('--read-only', 'use tokens that can only read')
    .option('--thread <id>', 'the conversation to go on with; a new id begins one')
    .option('--max-turns <n>', 'model calls at most (default: 25)', parseTurns)
    .option('--model <name>', modelHelp)
    .option('--base-url <url>', baseUrlHelp)
    .addHelpText(
      'after',
      examples([
        ['trade-agent run "what do I own"', ''],
        ['trade-agent run "buy 5 AAPL limit 180"', 'waits for the phone'],
        [
          'trade-agent run "sell half my MSFT" --approval detach --output json',
          'exits 5; done once approved',
        ],
        ['trade-agent run "is this good news for me?" < article.txt', 'standard input as context'],
        ['echo "what do I own" | trade-agent run - --read-only', 'standard input as the prompt'],
        ['trade-agent run "how risky is this?" --model ollama/llama3.2', 'a model on this machine'],
      ]) + exitCodes([4, 5, 6, 7, 8, 9, 10, 11, 12, 124]),
    )
    .action((prompt: string | undefined, options: RunCommandOptions, command: Command) =>
      runCommand(cli, command, (context) => run(context, prompt, options)),
    );
}

export async function run(
  context: Context,
  prompt: string | undefined,
  options: RunCommandOptions,
): Promise<number> {
  const { io, clock } = context;
  const fromStdin = prompt === '-' || (prompt === undefined && !io.stdinIsTty);
  // The wait for standard input runs beside the start of the agent.
  const reading = fromStdin ? readPrompt(io.stdin, clock) : readStdin(io.stdin, contextLimits, clock);
  // A failure is reported where it is awaited; until then it must not count as unhandled.
  reading.catch(() => undefined);
  if (!fromStdin && (prompt ?? '').trim() === '') {
    throw new TradeAgentError('usage', 'there is no prompt', {
      hint: 'For example: trade-agent run "what do I own"',
    });
  }
  const agent = await context.agent(options);
  const read = await reading;
  if (typeof read === 'object' && read.ended === 'cut') {
    io.talk(`standard input is longer than ${contextLimits.maxBytes / 1024} KiB; the rest is left out`);
  }
  if (typeof read === 'object' && read.ended === 'open') {
    io.talk('standard input did not end; going on with what came');
  }
  const { driveRun } = await import('../../run/drive-run.ts');
  return driveRun(
    context,
    agent.run(
      {
        prompt: typeof read === 'string' ? read : (prompt ?? ''),
        ...(options.thread === undefined ? {} : { thread: options.thread }),
        ...(typeof read === 'object' && read.text.trim() !== '' ? { context: read.text } : {}),
      },
      runOptions(context, options),
    ),
  );
}

/** What the agent is told, of a command's options. */
export function runOptions(
  context: Context,
  options: { approval: ApprovalMode; maxTurns?: number; cancelOnExit?: boolean },
): RunOptions {
  return {
    approval: options.approval,
    signal: context.signal,
    requestedBy: 'run',
    ...(options.cancelOnExit === true ? { cancelOnExit: true } : {}),
    ...(options.maxTurns === undefined ? {} : { maxTurns: options.maxTurns }),
  };
}

/** What to do about an approval, for every command that may need one. */
export function approvalOption(): Option {
  return choiceOption('--approval <mode>', 'wait for the phone, leave it to the gateway, or ask nobody', [
    'wait',
    'detach',
    'deny',
  ]).default('wait');
}

export const cancelOnExitHelp = 'stopped early, take back what still waits for the phone';
export const modelHelp =
  'builtin (the offline planner), or SERVER/NAME as in openai/gpt-5-mini, ollama/llama3.2, openrouter/NAME, lmstudio/NAME, vllm/NAME';
export const baseUrlHelp = 'a server that speaks the OpenAI chat API';

/** @throws {TradeAgentError} `usage` */
export function parseTurns(text: string): number {
  if (/^[1-9]\d{0,2}$/.test(text)) return Number(text);
  throw new TradeAgentError('usage', `--max-turns can't be "${text}"`, {
    hint: 'Give a number from 1 to 999.',
  });
}
