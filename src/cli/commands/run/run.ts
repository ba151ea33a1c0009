import { Option } from 'commander';
import { exitCodes, runExitCodes } from '../../../app/exit-codes.ts';
import { type RunSettings, startRun } from '../../../app/run.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import type { Context } from '../../context/context.ts';
import { createChoiceOption, createCountParser } from '../../options/choice.ts';

type RunOptions = RunSettings & { readonly thread?: string };

export function addRunCommand(program: CliCommand): void {
  program
    .command('run')
    .summary('ask one question and exit')
    .description(
      'Ask the agent once. If standard input is not a terminal, it is read as context; with "-", it is read as the prompt. "trade-agent \'buy 5 AAPL\'" (one argument with a space) also works.',
    )
    .argument('[prompt]', 'your request, in plain English')
    .addOption(approvalOption())
    .option('--cancel-on-exit', cancelOnExitHelp)
    .addOption(
      new Option('--dry-run', 'show what would be proposed or changed, and do nothing').conflicts([
        'readOnly',
        'thread',
        'cancelOnExit',
      ]),
    )
    .option('--read-only', readOnlyHelp)
    .option('--thread <id>', 'ID of the conversation to continue; a new ID starts a new conversation')
    .option('--max-turns <n>', 'maximum number of model calls (default: 25)', parseMaxTurns)
    .option('--model <name>', modelHelp)
    .option('--base-url <url>', baseUrlHelp)
    .examples(
      ['trade-agent run "what do I own"', ''],
      ['trade-agent run "buy 5 AAPL limit 180"', 'waits for your approval'],
      [
        'trade-agent run "sell half my MSFT" --approval detach --output json',
        `exits with ${exitCodes.pending}; placed once approved`,
      ],
      ['trade-agent run "sell half my MSFT" --dry-run', `exits with ${exitCodes.blocked} if it would be refused`],
      ['trade-agent run "is this good news for me?" < article.txt', 'standard input as context'],
      ['echo "what do I own" | trade-agent run - --read-only', 'standard input as the prompt'],
      ['trade-agent run "how risky is this?" --model ollama/llama3.2', 'a model on this machine'],
    )
    .exits(...runExitCodes)
    .runs(runOnce);
}

async function runOnce(context: Context, prompt: string | undefined, options: RunOptions): Promise<number> {
  const { readRunInput } = await import('../../run/run-input.ts');
  const events = await startRun(context, readRunInput(context, { prompt, thread: options.thread }), options);
  const { showRun } = await import('../../run/drive-run.ts');
  return showRun(context, events);
}

export function approvalOption(): Option {
  return createChoiceOption(
    '--approval <mode>',
    'wait for approval, request it and exit (the gateway executes what you approve), propose nothing, or propose only what a mandate covers',
    ['wait', 'detach', 'deny', 'mandate'],
  ).default('wait');
}

export const cancelOnExitHelp = 'withdraw pending approvals if the run is stopped early';
export const readOnlyHelp = 'use read-only tokens: nothing can be proposed or canceled';
export const modelHelp =
  'the model: builtin (the offline planner), or PROVIDER/NAME, such as openai/gpt-5-mini or ollama/qwen3:4b; providers are openai, anthropic, gemini, mistral, groq, openrouter, ollama, lmstudio, vllm, llama.cpp';
export const baseUrlHelp = 'URL of a server with an OpenAI-compatible chat API';

export const parseMaxTurns = createCountParser(999, '--max-turns');
