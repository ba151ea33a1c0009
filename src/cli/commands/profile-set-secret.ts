import type { Command } from 'commander';
import { TradeAgentError } from '../../trading/errors.ts';
import { type Cli, runCommand } from '../cli.ts';
import type { Context } from '../context.ts';
import { examples, exitCodes } from '../help.ts';

export function addProfileSetSecret(profile: Command, cli: Cli): void {
  profile
    .command('set-secret')
    .description(
      "Keeps the approval client's secret in the credential store, for a provider that takes no key. It is asked for, or read from standard input; never an argument.",
    )
    .argument('[name]', 'the one in use unless given')
    .addHelpText(
      'after',
      examples([
        ['trade-agent profile set-secret work', 'asks for it, without showing it'],
        ['trade-agent profile set-secret work < secret.txt', 'for scripts'],
      ]) + exitCodes([11]),
    )
    .action((name: string | undefined, _options, command: Command) =>
      runCommand(cli, command, (context) => setSecret(context, name)),
    );
}

async function setSecret(context: Context, name: string | undefined): Promise<void> {
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
