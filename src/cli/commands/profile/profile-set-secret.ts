import { type Command, Option } from 'commander';
import { TradeAgentError } from '../../../trading/errors.ts';
import { type Cli, runCommand } from '../../cli.ts';
import type { Context } from '../../context.ts';
import { examples, exitCodes } from '../../options/help.ts';

export function addProfileSetSecret(profile: Command, cli: Cli): void {
  profile
    .command('set-secret')
    .description(
      "Keeps the API key of the language model's server in the credential store. It is asked for, or read from standard input; never an argument.",
    )
    .argument('[name]', 'the one in use unless given')
    .addOption(new Option('--of <what>', 'whose secret it is').choices(['model']).default('model'))
    .addHelpText(
      'after',
      examples([
        ['trade-agent profile set-secret work --of model', 'asks for it, without showing it'],
        ['trade-agent profile set-secret work --of model < secret.txt', 'for scripts'],
      ]) + exitCodes([11]),
    )
    .action((name: string | undefined, _options, command: Command) =>
      runCommand(cli, command, (context) => setModelKey(context, name)),
    );
}

async function setModelKey(context: Context, name: string | undefined): Promise<void> {
  const [{ storeModelKey }, { modelUrl }, { credentialsOf, namedProfile }] = await Promise.all([
    import('../../../secrets/model-key.ts'),
    import('../../../agent/model/model-server.ts'),
    import('../../../app/named-profile.ts'),
  ]);
  const profile = await namedProfile(context, name);
  if (profile.model.provider === 'builtin') {
    throw new TradeAgentError(
      'usage',
      `profile "${profile.name}" uses the built-in planner, which needs no key`,
      {
        hint: `First "trade-agent config set profiles.${profile.name}.model.provider openai", and model.name.`,
      },
    );
  }
  const url = modelUrl(profile.model);
  const store = await credentialsOf(context, profile);
  await store.probe();
  const { readSecret } = await import('../../terminal/secret-input.ts');
  await storeModelKey(store, url, await readSecret(context, `API key for ${url} (not shown): `));
  await context.output.result(
    'profile-model-key',
    { name: profile.name, url },
    () => `The API key for ${url} is kept in the credential store, and goes to no other server.`,
  );
}
