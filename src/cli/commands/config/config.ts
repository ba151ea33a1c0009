import type { Command } from 'commander';
import { safeText } from '../../../net/shown-text.ts';
import { isTradeAgentError, TradeAgentError } from '../../../trading/errors.ts';
import { type Cli, runCommand } from '../../cli.ts';
import type { Context } from '../../context.ts';
import { examples, exitCodes } from '../../options/help.ts';

export function addConfigCommand(program: Command, cli: Cli): void {
  const config = program
    .command('config')
    .summary('read and change config.yaml')
    .description(
      'Reads and changes config.yaml. Comments stay, and what would not be valid is not written. Secrets are never in it: they are in the credential store.',
    )
    .addHelpText(
      'after',
      examples([
        ['trade-agent config get', 'the whole file'],
        ['trade-agent config set profiles.work.model.name gpt-5-mini', 'one key'],
        ['trade-agent config edit', 'in $VISUAL or $EDITOR'],
      ]) + exitCodes([]),
    );
  config
    .command('get', { isDefault: true })
    .description('print the file, or one key of it')
    .argument('[key]', 'with dots, as in profiles.work.issuer')
    .addHelpText(
      'after',
      examples([['trade-agent config get default_profile --output json', 'null where it is not set']]) +
        exitCodes([]),
    )
    .action((key: string | undefined, _options, command: Command) =>
      runCommand(cli, command, (context) => getConfig(context, key)),
    );
  config
    .command('set')
    .description('set one key')
    .argument('<key>', 'with dots, as in profiles.work.issuer')
    .argument('<value>', 'as YAML: text, a number, true, or [a, list]')
    .addHelpText(
      'after',
      examples([['trade-agent config set profiles.work.approval_ttl 120', 'seconds']]) + exitCodes([]),
    )
    .action((key: string, value: string, _options, command: Command) =>
      runCommand(cli, command, (context) => changeKey(context, key, value)),
    );
  config
    .command('unset')
    .description('remove one key')
    .argument('<key>', 'with dots, as in profiles.work.issuer')
    .addHelpText('after', examples([['trade-agent config unset default_profile', '']]) + exitCodes([]))
    .action((key: string, _options, command: Command) =>
      runCommand(cli, command, (context) => changeKey(context, key, undefined)),
    );
  config
    .command('path')
    .description("print the file's path, whether or not it exists yet")
    .addHelpText('after', examples([['cat "$(trade-agent config path)"', '']]) + exitCodes([]))
    .action((_options, command: Command) => runCommand(cli, command, printPath));
  config
    .command('edit')
    .description('open the file in $VISUAL or $EDITOR; it is replaced only by a valid one')
    .addHelpText('after', examples([['EDITOR=nano trade-agent config edit', '']]) + exitCodes([]))
    .action((_options, command: Command) => runCommand(cli, command, editConfig));
}

async function getConfig(context: Context, key: string | undefined): Promise<void> {
  const [{ configText, configValue }, { checkConfig, configFile }, yaml] = await Promise.all([
    import('../../../config/config-edit.ts'),
    import('../../../config/config-file.ts'),
    import('yaml'),
  ]);
  const home = await context.home();
  const file = configFile(home);
  if (key === undefined) {
    const text = configText(home);
    await checkConfig(text, file);
    const value = (yaml.parse(text) ?? {}) as unknown;
    await context.output.result('config', { file, key: null, value }, () => text.trimEnd());
    return;
  }
  const value = await configValue(home, key);
  if (value === undefined && context.output.format === 'text') {
    throw new TradeAgentError('not_found', `${key} is not set in ${file}`, {
      hint: 'See "trade-agent config get" for what is.',
    });
  }
  await context.output.result('config', { file, key, value: value ?? null }, () =>
    typeof value === 'string' ? value : yaml.stringify(value).trimEnd(),
  );
}

async function changeKey(context: Context, key: string, value: string | undefined): Promise<void> {
  const [{ changeConfig, configValue }, { configFile }] = await Promise.all([
    import('../../../config/config-edit.ts'),
    import('../../../config/config-file.ts'),
  ]);
  const home = await context.home();
  await changeConfig(home, key, value);
  const now = (await configValue(home, key)) ?? null;
  await context.output.result('config', { file: configFile(home), key, value: now }, () =>
    value === undefined ? `${key} is no longer set.` : `${key} is set.`,
  );
}

async function printPath(context: Context): Promise<void> {
  const { configFile } = await import('../../../config/config-file.ts');
  const file = configFile(await context.home());
  await context.output.result('config-path', { file }, () => file);
}

async function editConfig(context: Context): Promise<void> {
  const [{ configText, replaceConfig }, { configFile }, { editText }] = await Promise.all([
    import('../../../config/config-edit.ts'),
    import('../../../config/config-file.ts'),
    import('../../terminal/editor.ts'),
  ]);
  const home = await context.home();
  const before = configText(home);
  const { env, signal, io } = context;
  let text = before;
  let changed = false;
  for (let done = false; !done; ) {
    text = await editText(text, { name: 'config.yaml', env, signal });
    changed = text !== before;
    try {
      if (changed) await replaceConfig(home, text);
      done = true;
    } catch (error) {
      // What was typed must not be lost over a slip.
      if (!io.interactive || !isTradeAgentError(error)) throw error;
      const again = await io.prompt(`${safeText(error.message)}\nEdit it again? [Y/n]: `, signal);
      if (/^n/i.test(again.trim())) throw error;
    }
  }
  await context.output.result('config-edit', { file: configFile(home), changed }, () =>
    changed ? 'Saved.' : 'Nothing was changed.',
  );
}
