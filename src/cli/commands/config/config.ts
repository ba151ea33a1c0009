import { TradeAgentError } from '../../../errors/errors.ts';
import { safeText } from '../../../text/sanitize.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import type { Context } from '../../context/context.ts';

export function addConfigCommand(program: CliCommand): void {
  const config = program
    .command('config')
    .summary('show and change config.yaml')
    .description(
      'Read and change config.yaml. Keeps comments and rejects invalid changes. Secrets are never in this file; they are in the credential store.',
    )
    .examples(
      ['trade-agent config get', 'the whole file'],
      ['trade-agent config set profiles.work.model.name gpt-5-mini', 'one key'],
      ['trade-agent config edit', 'in $VISUAL or $EDITOR'],
    );
  config
    .command('get', { isDefault: true })
    .description('print the file, or one key')
    .argument('[key]', 'key with dots, as in profiles.work.issuer')
    .examples(['trade-agent config get default_profile --output json', 'null if it is not set'])
    .runs(getConfig);
  config
    .command('set')
    .description('set one key')
    .argument('<key>', 'key with dots, as in profiles.work.issuer')
    .argument('<value>', 'the value as YAML: text, a number, true, or [a, list]')
    .examples(['trade-agent config set profiles.work.approval_ttl 120', 'seconds'])
    .runs(changeKey);
  config
    .command('unset')
    .description('remove one key')
    .argument('<key>', 'key with dots, as in profiles.work.issuer')
    .examples(['trade-agent config unset default_profile', ''])
    .runs((context, key: string) => changeKey(context, key, undefined));
  config
    .command('path')
    .description("print the file's path, even if it does not exist yet")
    .examples(['cat "$(trade-agent config path)"', ''])
    .runs(printPath);
  config
    .command('edit')
    .description('open the file in $VISUAL or $EDITOR; only a valid file is saved')
    .examples(['EDITOR=nano trade-agent config edit', ''])
    .runs(editInEditor);
}

async function getConfig(context: Context, key: string | undefined): Promise<void> {
  const { readConfig, readConfigKey } = await import('../../../app/config.ts');
  const { stringify } = await import('yaml');
  const { output } = context;
  if (key === undefined) {
    const { file, text, value } = await readConfig(context);
    await output.result('config', { file, key: null, value }, () => text.trimEnd());
    return;
  }
  const { file, value } = await readConfigKey(context, key);
  if (value === undefined && output.format === 'text') {
    throw new TradeAgentError('not_found', `${key} is not set in ${file}`, {
      hint: 'See "trade-agent config get" for the keys that are set.',
    });
  }
  await output.result('config', { file, key, value: value ?? null }, () =>
    typeof value === 'string' ? value : stringify(value).trimEnd(),
  );
}

async function changeKey(context: Context, key: string, wanted: string | undefined): Promise<void> {
  const { changeConfigKey } = await import('../../../app/config.ts');
  const { file, value } = await changeConfigKey(context, key, wanted);
  await context.output.result('config', { file, key, value: value ?? null }, () =>
    wanted === undefined ? `${key} is no longer set.` : `${key} is set.`,
  );
}

async function printPath(context: Context): Promise<void> {
  const { configPath } = await import('../../../app/config.ts');
  const file = await configPath(context);
  await context.output.result('config-path', { file }, () => file);
}

async function editInEditor(context: Context): Promise<void> {
  const { editConfig } = await import('../../../app/config.ts');
  const { editText } = await import('../../terminal/editor.ts');
  const { env, signal, io } = context;
  const { file, changed } = await editConfig(context, {
    edit: (text) => editText(text, { name: 'config.yaml', env, signal }),
    confirmRetry: async ({ message }) => {
      if (!io.interactive) return false;
      const answer = await io.prompt(`${safeText(message)}\nEdit it again? [Y/n]: `, signal);
      return !/^n/i.test(answer.trim());
    },
  });
  await context.output.result('config-edit', { file, changed }, () => (changed ? 'Saved.' : 'Nothing was changed.'));
}
