import { type Command, Option } from 'commander';
import { exits } from '../../../app/exit-codes.ts';
import { runCommand } from '../../cli.ts';
import type { Context } from '../../context.ts';
import { examples, exitCodes } from '../../options/help.ts';
import type { Cli } from '../../surroundings.ts';

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
      ]) + exitCodes([exits.credentialStore]),
    )
    .action((name: string | undefined, _options, command: Command) =>
      runCommand(cli, command, (context) => setSecret(context, name)),
    );
}

async function setSecret(context: Context, wanted: string | undefined): Promise<void> {
  const [{ setModelKey }, { readSecret }] = await Promise.all([
    import('../../../app/profile/set-model-key.ts'),
    import('../../terminal/secret-input.ts'),
  ]);
  const { name, url } = await setModelKey(context, wanted, (server) =>
    readSecret(context, `API key for ${server} (not shown): `),
  );
  await context.output.result(
    'profile-model-key',
    { name, url },
    () => `The API key for ${url} is kept in the credential store, and goes to no other server.`,
  );
}
