import { type Command, Option } from 'commander';
import { TradeAgentError } from '../../trading/errors.ts';
import { type Cli, runCommand } from '../cli.ts';
import type { Context } from '../context.ts';
import { examples, exitCodes } from '../help.ts';

export function addProfileSetSecret(profile: Command, cli: Cli): void {
  profile
    .command('set-secret')
    .description(
      "Keeps a secret in the credential store: the approval client's, for a provider that takes no key, or the API key of the language model's server. It is asked for, or read from standard input; never an argument.",
    )
    .argument('[name]', 'the one in use unless given')
    .addOption(
      new Option('--of <what>', 'whose secret it is')
        .choices(['approval-client', 'model'])
        .default('approval-client'),
    )
    .addHelpText(
      'after',
      examples([
        ['trade-agent profile set-secret work', 'asks for it, without showing it'],
        ['trade-agent profile set-secret work < secret.txt', 'for scripts'],
        ['trade-agent profile set-secret --of model', 'the API key for the model the profile names'],
      ]) + exitCodes([11]),
    )
    .action((name: string | undefined, { of }: { of: 'approval-client' | 'model' }, command: Command) =>
      runCommand(cli, command, (context) =>
        of === 'model' ? setModelKey(context, name) : setClientSecret(context, name),
      ),
    );
}

async function setModelKey(context: Context, name: string | undefined): Promise<void> {
  const [{ storeModelKey }, { modelUrl }, { credentialsOf, namedProfile }] = await Promise.all([
    import('../../auth/model-key.ts'),
    import('../../agent/model-server.ts'),
    import('../named-profile.ts'),
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
  const { readSecret } = await import('../secret-input.ts');
  await storeModelKey(store, url, await readSecret(context, `API key for ${url} (not shown): `));
  await context.output.result(
    'profile-model-key',
    { name: profile.name, url },
    () => `The API key for ${url} is kept in the credential store, and goes to no other server.`,
  );
}

async function setClientSecret(context: Context, name: string | undefined): Promise<void> {
  const [{ storeClientSecret }, { setInProfile }, { providerMetadata }, { credentialsOf, namedProfile }] =
    await Promise.all([
      import('../../auth/client-secret.ts'),
      import('../../auth/profile-edit.ts'),
      import('../../auth/provider.ts'),
      import('../named-profile.ts'),
    ]);
  const profile = await namedProfile(context, name);
  const { approval_client } = profile;
  if (approval_client === undefined) {
    throw new TradeAgentError('usage', `profile "${profile.name}" names no approval client`, {
      hint: `First "trade-agent config set profiles.${profile.name}.approval_client.client_id ID".`,
    });
  }
  const access = { fetch: context.fetch, clock: context.clock, home: await context.home() };
  const metadata = await providerMetadata(profile.issuer, access);
  const store = await credentialsOf(context, profile);
  await store.probe();
  const { readSecret } = await import('../secret-input.ts');
  const secret = await readSecret(context, `Secret of ${approval_client.client_id} (not shown): `);
  await storeClientSecret({ ...profile, approval_client }, store, secret);
  // RFC 8414 §2: basic is what a provider takes that says nothing.
  const methods = metadata.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
  const authentication = methods.includes('client_secret_basic')
    ? 'client_secret_basic'
    : 'client_secret_post';
  await setInProfile(
    await context.home(),
    profile.name,
    ['approval_client', 'authentication'],
    authentication,
  );
  if (methods.includes('private_key_jwt')) {
    context.io.talk(
      'warning: this provider takes a key (private_key_jwt), which never leaves this machine; a secret does.',
    );
  }
  await context.output.result(
    'profile-secret',
    { name: profile.name, client_id: approval_client.client_id, authentication },
    () => `The secret of ${approval_client.client_id} is kept in the credential store.`,
  );
}
