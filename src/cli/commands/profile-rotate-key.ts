import type { Command } from 'commander';
import type { RegisteredJwk } from '../../auth/client-key.ts';
import type { CredentialStore } from '../../auth/credential-store/credential-store.ts';
import type { ResolvedProfile } from '../../auth/profile.ts';
import type { ProviderAccess } from '../../auth/provider.ts';
import { TradeAgentError } from '../../trading/errors.ts';
import { type Cli, runCommand } from '../cli.ts';
import type { Context } from '../context.ts';
import { examples, exitCodes } from '../help.ts';

interface RotateOptions {
  readonly show?: boolean;
  readonly confirm?: boolean;
}

export function addProfileRotateKey(profile: Command, cli: Cli): void {
  profile
    .command('rotate-key')
    .description(
      'Gives the approval client a new key, made on this machine. A client that registered itself is registered anew. For one that the profile names, the new public key is printed to be entered at the provider, and used once the provider knows it. Approvals that still wait are lost with a client that registers anew: decide them first.',
    )
    .argument('[name]', 'the one in use unless given')
    .option('--show', 'only print the public key in use')
    .option('--confirm', 'the printed key was entered at the provider: switch to it')
    .addHelpText(
      'after',
      examples([
        ['trade-agent profile rotate-key work', 'print the new key, wait until it was entered, switch'],
        ['trade-agent profile rotate-key work --show', 'the public key to register in the first place'],
        ['trade-agent profile rotate-key work --confirm', 'the second step, for scripts'],
      ]) + exitCodes([11]),
    )
    .action((name: string | undefined, options: RotateOptions, command: Command) =>
      runCommand(cli, command, (context) => rotateKey(context, name, options)),
    );
}

async function rotateKey(context: Context, name: string | undefined, options: RotateOptions): Promise<void> {
  const [rotation, { credentialsOf, namedProfile }] = await Promise.all([
    import('../../auth/key-rotation.ts'),
    import('../named-profile.ts'),
  ]);
  const profile = await namedProfile(context, name);
  const store = await credentialsOf(context, profile);
  const access: ProviderAccess = {
    fetch: context.fetch,
    clock: context.clock,
    home: await context.home(),
  };
  if (!hasNamedClient(profile)) {
    if (options.show || options.confirm) {
      throw new TradeAgentError('usage', `the approval client of "${profile.name}" registers itself`, {
        hint: 'There is no key to enter anywhere; leave out --show and --confirm.',
      });
    }
    const { clientId, key } = await rotation.registerAnew(profile, store, access);
    return await tell(context, 'rotated', clientId, key);
  }
  const clientId = profile.approval_client.client_id;
  if (options.show) {
    return await tell(context, 'in_use', clientId, await rotation.approvalPublicKey(profile, store));
  }
  if (options.confirm) {
    return await tell(context, 'rotated', clientId, await rotation.switchToNextKey(profile, store, access));
  }
  await rotateNamed(context, profile, store, access);
}

type NamedProfile = ResolvedProfile & { readonly approval_client: { readonly client_id: string } };

function hasNamedClient(profile: ResolvedProfile): profile is NamedProfile {
  return profile.approval_client !== undefined;
}

async function rotateNamed(
  context: Context,
  profile: NamedProfile,
  store: CredentialStore,
  access: ProviderAccess,
): Promise<void> {
  const { prepareNextKey, switchToNextKey } = await import('../../auth/key-rotation.ts');
  const clientId = profile.approval_client.client_id;
  const next = await prepareNextKey(profile, store);
  const { io, signal } = context;
  if (!io.interactive) {
    await tell(context, 'waiting', clientId, next);
    io.talk(`Enter it at the provider, then run "trade-agent profile rotate-key ${profile.name} --confirm".`);
    return;
  }
  io.talk(`Add this public key to ${clientId} at ${profile.issuer}:`);
  io.talk(await forPeople(next));
  await io.prompt('Press Enter when it is saved there (Ctrl-C keeps the old key) ', signal);
  await tell(context, 'rotated', clientId, await switchToNextKey(profile, store, access));
}

async function tell(
  { output }: Context,
  status: 'in_use' | 'waiting' | 'rotated',
  clientId: string,
  key: RegisteredJwk,
): Promise<void> {
  const { publicPem } = await import('../../auth/client-key.ts');
  const data = { status, client_id: clientId, public_key: key, public_key_pem: publicPem(key) };
  await output.result('profile-key', data, () =>
    status === 'rotated'
      ? `${clientId} uses the new key ${key.kid}. The old one can be removed at the provider.`
      : forPeople(key),
  );
}

/** In the form it is entered in: RSA keys as PEM, others as JWK. */
async function forPeople(key: RegisteredJwk): Promise<string> {
  const { publicPem } = await import('../../auth/client-key.ts');
  return key.kty === 'RSA' ? publicPem(key).trimEnd() : JSON.stringify(key, null, 2);
}
