import type { Command } from 'commander';
import type { ProviderFinding } from '../../../auth/provider/provider-check.ts';
import type { WrittenProfile } from '../../../config/profile-edit.ts';
import { type ProviderName, providerNames } from '../../../config/provider-names.ts';
import { boundedFetch, LONGEST_PROVIDER_ANSWER } from '../../../net/bounded-fetch.ts';
import { isSecureUrl } from '../../../net/secure-url.ts';
import { safeLine } from '../../../net/shown-text.ts';
import { environmentWord } from '../../../trading/environment.ts';
import { TradeAgentError } from '../../../trading/errors.ts';
import type { Environment } from '../../../trading/order.ts';
import { type Cli, runCommand } from '../../cli.ts';
import type { Context } from '../../context.ts';
import { choiceOption } from '../../options/choice.ts';
import { examples, exitCodes } from '../../options/help.ts';

interface AddOptions {
  readonly issuer?: string;
  readonly gateway?: string;
  readonly audience?: string;
  readonly provider?: ProviderName;
  readonly loginClient?: string;
  readonly environment?: Environment;
  readonly credentialStore?: 'keychain' | 'file';
  readonly credentialKey?: string;
}

export function addProfileAdd(profile: Command, cli: Cli): void {
  profile
    .command('add')
    .description(
      'Adds a profile: asks what is not given as an option, finds the identity provider, says what is missing there, and writes config.yaml.',
    )
    .argument('<name>', 'small letters, digits, - and _')
    .option('--issuer <url>', "the identity provider's issuer")
    .option('--gateway <url>', "the order gateway's address")
    .option('--audience <name>', "the gateway's name at the provider (default: its address)")
    .addOption(choiceOption('--provider <name>', 'whose dialect (default: found out)', providerNames))
    .option('--login-client <id>', 'the public client that signs in')
    .addOption(
      choiceOption('--environment <name>', 'paper or live money (default: paper)', ['paper', 'live']),
    )
    .addOption(
      choiceOption('--credential-store <where>', 'where secrets are kept (default: keychain)', [
        'keychain',
        'file',
      ]),
    )
    .option(
      '--credential-key <key>',
      'what opens the file: "passphrase", or the path of a key file (default: a key file beside it)',
    )
    .addHelpText(
      'after',
      examples([
        ['trade-agent profile add work', 'asks for everything'],
        [
          'trade-agent profile add work --issuer https://id.example --gateway https://gw.example --login-client agent',
          'for scripts',
        ],
      ]) + exitCodes([]),
    )
    .action((name: string, options: AddOptions, command: Command) =>
      runCommand(cli, command, (context) => addProfile(context, name, options)),
    );
}

/**
 * Writes the profile where one can sign in with it, with a warning for each thing that will not work yet.
 * @throws {TradeAgentError} `invalid_config` where nobody could sign in: then nothing is written
 */
async function addProfile(context: Context, name: string, options: AddOptions): Promise<void> {
  const [
    edit,
    { configFile },
    { providerMetadata },
    { detectProvider, dialectOf },
    { checkProviderFeatures },
  ] = await Promise.all([
    import('../../../config/profile-edit.ts'),
    import('../../../config/config-file.ts'),
    import('../../../auth/provider/provider.ts'),
    import('../../../auth/provider/dialect-of.ts'),
    import('../../../auth/provider/provider-check.ts'),
  ]);
  const home = await context.home();
  await edit.requireNewProfile(home, name);
  const issuer = await answer(
    context,
    options.issuer,
    '--issuer',
    'Issuer (address of the identity provider)',
  );
  const metadata = await providerMetadata(requireUrl(issuer, '--issuer'), {
    fetch: context.fetch,
    clock: context.clock,
  });
  const provider = options.provider ?? detectProvider(metadata);
  context.io.talk(`Found ${dialectOf({ provider }).label} at ${metadata.issuer}`);
  const gateway = requireUrl(
    await answer(context, options.gateway, '--gateway', 'Gateway (address of the order gateway)'),
    '--gateway',
  );
  const audience = options.audience ?? (await announcedAudience(context, gateway)) ?? gateway;
  const loginClient = await answer(context, options.loginClient, '--login-client', 'Login client id');
  const environment = options.environment ?? 'paper';

  const profile: WrittenProfile = {
    provider,
    issuer: metadata.issuer,
    gateway,
    ...(audience === gateway ? {} : { audience }),
    environment,
    login_client: { client_id: loginClient },
    ...(await storeSettings(options)),
  };
  const { profileSchema } = await import('../../../config/profile.ts');
  const findings = checkProviderFeatures(profileSchema.parse(profile), metadata);
  requireSignIn(findings, metadata.issuer);
  await edit.addProfile(home, name, profile);
  await report(context, name, { profile, file: configFile(home), findings });
  for (const { status, message } of findings) {
    if (status === 'fail') context.io.talk(`warning: ${safeLine(message)}`);
  }
}

/** Reading works without approvals; without a sign-in nothing does. @throws {TradeAgentError} `invalid_config` */
function requireSignIn(findings: readonly ProviderFinding[], issuer: string): void {
  const missing = findings.find(({ feature, status }) => feature === 'device' && status === 'fail');
  if (missing === undefined) return;
  throw new TradeAgentError('invalid_config', `${issuer} can't be used: ${missing.message}`, {
    hint: `${missing.fix ?? 'Choose another provider.'} Nothing was written.`,
  });
}

/** @throws {TradeAgentError} `usage` */
async function storeSettings({
  credentialStore,
  credentialKey,
}: AddOptions): Promise<Partial<WrittenProfile>> {
  if (credentialKey === undefined)
    return credentialStore === undefined ? {} : { credential_store: credentialStore };
  const { credentialKeySetting } = await import('../../options/credential-key.ts');
  const key = credentialKeySetting(credentialKey, credentialStore ?? 'keychain', '--credential-key');
  return { credential_store: 'file', credential_key: key };
}

async function report(
  context: Context,
  name: string,
  added: {
    profile: WrittenProfile;
    file: string;
    findings: readonly ProviderFinding[];
  },
): Promise<void> {
  const { findingLines } = await import('./provider-report.ts');
  const next = [`trade-agent profile check ${name}`, `trade-agent login --profile ${name}`];
  await context.output.result('profile-add', { name, ...added, next }, () =>
    [
      ...findingLines(context, added.findings),
      '',
      `Profile ${name} (${environmentWord(added.profile.environment)}) is in ${added.file}.`,
      'Next:',
      ...next.map((command) => `  ${command}`),
    ].join('\n'),
  );
}

/** An option's value, or the person's. @throws {TradeAgentError} `usage` where nobody can be asked */
async function answer(
  context: Context,
  given: string | undefined,
  option: string,
  question: string,
): Promise<string> {
  if (given !== undefined) return given;
  if (!context.io.interactive) {
    throw new TradeAgentError('usage', `${option} is missing`, {
      hint: 'Without a terminal nobody can be asked; --help lists the options.',
    });
  }
  for (;;) {
    const text = await ask(context, question);
    if (text !== '') return text;
  }
}

async function ask({ io, signal }: Context, question: string): Promise<string> {
  return (await io.prompt(`${question}: `, signal)).trim();
}

function requireUrl(text: string, option: string): string {
  if (isSecureUrl(text)) return text;
  throw new TradeAgentError('usage', `${option} is not an https address: ${text}`, {
    hint: 'Write it whole, with https://. Plain http is for servers on this machine only.',
  });
}

/** What the gateway calls itself (RFC 9728), when it can be asked; it is checked again by "profile check". */
async function announcedAudience(context: Context, gateway: string): Promise<string | undefined> {
  const send = boundedFetch(context.fetch, LONGEST_PROVIDER_ANSWER);
  try {
    const response = await send(`${gateway.replace(/\/+$/, '')}/.well-known/oauth-protected-resource`, {
      redirect: 'error',
      signal: AbortSignal.any([context.signal, AbortSignal.timeout(5000)]),
    });
    const { resource } = (await response.json()) as { resource?: unknown };
    return response.ok && typeof resource === 'string' && resource !== '' ? resource : undefined;
  } catch {
    context.signal.throwIfAborted();
    return undefined;
  }
}
