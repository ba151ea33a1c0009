import type { Option } from 'commander';
import { exits, runExits } from '../../../app/exit-codes.ts';
import { type RunSettings, run } from '../../../app/run.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import type { Context } from '../../context/context.ts';
import { choiceOption, countUpTo } from '../../options/choice.ts';

type RunOptions = RunSettings & { readonly thread?: string };

export function addRunCommand(program: CliCommand): void {
  program
    .command('run')
    .summary('ask once, and end with the answer')
    .description(
      'Asks the agent once. Standard input that is not a terminal is read as context, to its end; "-" reads the prompt from it. "trade-agent \'buy 5 AAPL\'" alone, one argument with a space in it, is run too.',
    )
    .argument('[prompt]', 'what you want, in your own words')
    .addOption(approvalOption())
    .option('--cancel-on-exit', cancelOnExitHelp)
    .option('--read-only', 'use tokens that can only read')
    .option('--thread <id>', 'the conversation to go on with; a new id begins one')
    .option('--max-turns <n>', 'model calls at most (default: 25)', parseTurns)
    .option('--model <name>', modelHelp)
    .option('--base-url <url>', baseUrlHelp)
    .examples(
      ['trade-agent run "what do I own"', ''],
      ['trade-agent run "buy 5 AAPL limit 180"', 'waits for the phone'],
      [
        'trade-agent run "sell half my MSFT" --approval detach --output json',
        `exits ${exits.pending}; done once approved`,
      ],
      ['trade-agent run "is this good news for me?" < article.txt', 'standard input as context'],
      ['echo "what do I own" | trade-agent run - --read-only', 'standard input as the prompt'],
      ['trade-agent run "how risky is this?" --model ollama/llama3.2', 'a model on this machine'],
    )
    .exits(...runExits)
    .runs(runOnce);
}

async function runOnce(context: Context, prompt: string | undefined, options: RunOptions): Promise<number> {
  const { runInput } = await import('../../run/run-input.ts');
  const events = await run(context, runInput(context, { prompt, thread: options.thread }), options);
  const { driveRun } = await import('../../run/drive-run.ts');
  return driveRun(context, events);
}

/** What to do about an approval, for every command that may need one. */
export function approvalOption(): Option {
  return choiceOption(
    '--approval <mode>',
    'wait for the phone, leave it to the gateway, propose nothing, or only what a mandate covers',
    ['wait', 'detach', 'deny', 'mandate'],
  ).default('wait');
}

export const cancelOnExitHelp = 'stopped early, take back what still waits for the phone';
export const modelHelp =
  'builtin (the offline planner), or SERVER/NAME as in openai/gpt-5-mini, ollama/llama3.2, openrouter/NAME, lmstudio/NAME, vllm/NAME';
export const baseUrlHelp = 'a server that speaks the OpenAI chat API';

export const parseTurns = countUpTo(999, '--max-turns');
