import { exitCodes } from '../../../app/exit-codes.ts';
import { safeLine } from '../../../text/sanitize.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import type { Context } from '../../context/context.ts';
import { baseUrlHelp } from '../run/run.ts';

const MAX_NAME_LENGTH = 120;

export function addModelsCommand(program: CliCommand): void {
  const models = program
    .command('models')
    .summary('list language models, and test one')
    .description(
      'List the models that you can use with --model, and test whether one calls tools. Only servers on this machine and providers whose API key is set are asked.',
    )
    .examples(
      ['trade-agent models', 'the models of each available provider'],
      ['trade-agent models test ollama/qwen3:4b', 'whether it calls tools, and how fast'],
    )
    .exits(exitCodes.credentialStore);
  models
    .command('list', { isDefault: true })
    .description('list the models that you can use')
    .examples(['trade-agent models list', ''], ['trade-agent models list --output json', 'for scripts'])
    .exits(exitCodes.credentialStore)
    .runs(printModels);
  models
    .command('test')
    .description('send a model a small request with one tool, and show whether the model calls it')
    .argument('[model]', 'PROVIDER/NAME (default: the configured model)')
    .option('--base-url <url>', baseUrlHelp)
    .examples(['trade-agent models test openai/gpt-5-mini', 'exits with 1 if it does not call the tool'])
    .exits(exitCodes.credentialStore)
    .runs(printTest);
}

async function printModels(context: Context): Promise<void> {
  const { listModels } = await import('../../../app/model-list.ts');
  const listed = (await listModels(context, {})).map(({ name, server }) => ({ name, server: server ?? null }));
  await context.output.result('models', { models: listed }, async () => {
    const { formatTable } = await import('../../text/table.ts');
    if (listed.length === 0) return "The agent's server chooses the model.";
    return formatTable(
      [
        { head: 'MODEL', cell: ({ name }) => safeLine(name, MAX_NAME_LENGTH) },
        { head: 'SERVER', cell: ({ server }) => server ?? 'none (works offline)' },
      ],
      listed,
    );
  });
}

async function printTest(context: Context, model: string | undefined, options: { baseUrl?: string }): Promise<number> {
  const { testModel } = await import('../../../app/model-list.ts');
  const { defined } = await import('../../../values/defined.ts');
  const result = await testModel(context, { ...options, ...defined({ model }) });
  const calls = {
    native: 'calls tools',
    text: 'writes tool calls as text, which trade-agent executes too',
    none: 'did not call the tool: it can answer, but not trade or look things up',
  } as const;
  await context.output.result('model-test', { ...result }, () => {
    const { ms, input_tokens, output_tokens, tool_calls } = result;
    const name = safeLine(`${result.model} at ${result.server}`, MAX_NAME_LENGTH);
    return `${name} ${calls[tool_calls]}.\n${(ms / 1000).toFixed(1)} s, ${input_tokens} tokens in, ${output_tokens} out`;
  });
  return result.tool_calls === 'none' ? exitCodes.failed : exitCodes.done;
}
