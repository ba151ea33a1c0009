import type { AddedProfile, PromptedSetting } from '../../../app/profile/edit-profile.ts';
import { type ProviderName, providerNames } from '../../../config/provider-names.ts';
import { HOME_LOGIN_CLIENT } from '../../../config/resolve-profile.ts';
import { TradeAgentError } from '../../../errors/errors.ts';
import { safeLine } from '../../../text/sanitize.ts';
import { environmentName } from '../../../trading/environment.ts';
import type { Environment } from '../../../trading/order.ts';
import { defined } from '../../../values/defined.ts';
import type { GlobalOptions } from '../../context/cli.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import type { Context } from '../../context/context.ts';
import { createChoiceOption } from '../../options/choice.ts';

interface AddOptions {
  readonly home?: string;
  readonly issuer?: string;
  readonly gateway?: string;
  readonly audience?: string;
  readonly provider?: ProviderName;
  readonly loginClient?: string;
  readonly environment?: Environment;
  readonly credentialStore?: 'keychain' | 'file';
  readonly credentialKey?: string;
}

export function addProfileAddCommand(profile: CliCommand): void {
  profile
    .command('add')
    .description(
      'Add a profile: ask for missing options, discover the identity provider, report the features that it lacks, and write config.yaml.',
    )
    .argument('<name>', 'lower-case letters, digits, - and _')
    .option('--home <url>', 'address of a home ("trade-agent home"); sets the issuer, the gateway and the login client')
    .option('--issuer <url>', "the identity provider's issuer")
    .option('--gateway <url>', "the order gateway's address")
    .option('--audience <name>', "the gateway's audience at the provider (default: the gateway's address)")
    .addOption(createChoiceOption('--provider <name>', 'the provider (default: detected)', providerNames))
    .option('--login-client <id>', 'the client ID of the public client for signing in')
    .addOption(createChoiceOption('--environment <name>', 'paper or live trading (default: paper)', ['paper', 'live']))
    .addOption(
      createChoiceOption('--credential-store <where>', 'where to store secrets (default: keychain)', [
        'keychain',
        'file',
      ]),
    )
    .option(
      '--credential-key <key>',
      '"passphrase", or the path of a key file for the credential file (default: a key file next to it)',
    )
    .examples(
      ['trade-agent profile add work', 'asks for everything'],
      ['trade-agent profile add work --server https://agents.example', 'an agent on a server'],
      ['trade-agent profile add home --home https://home.example', 'a home on another machine'],
      [
        'trade-agent profile add work --issuer https://id.example --gateway https://gw.example --login-client agent',
        'for scripts',
      ],
    )
    .runs((context, name: string, options: AddOptions, command: CliCommand) =>
      add(context, name, options, command.optsWithGlobals<GlobalOptions>().server),
    );
}

async function add(context: Context, name: string, options: AddOptions, server: string | undefined): Promise<void> {
  const { addProfile } = await import('../../../app/profile/edit-profile.ts');
  const { parseCredentialKey } = await import('../../options/choice.ts');
  const { audience, provider, environment, credentialStore, credentialKey } = options;
  const { issuer, gateway, loginClient } = profileAddresses(options);
  const added = await addProfile(
    context,
    name,
    {
      issuer,
      gateway,
      server,
      audience,
      provider,
      loginClient,
      environment,
      ...defined({ credential_store: credentialStore }),
      ...(credentialKey === undefined
        ? {}
        : {
            credential_key: parseCredentialKey(credentialKey, credentialStore ?? 'keychain', '--credential-key'),
          }),
    },
    (setting) => askSetting(context, setting),
  );
  await report(context, name, added);
  for (const { status, message } of added.findings) {
    if (status === 'fail') context.io.talk(`warning: ${safeLine(message)}`);
  }
}

/**
 * Returns the URLs of the issuer and the gateway, and the ID of the login client. `--home` sets both URLs.
 * @throws {TradeAgentError} `usage`
 */
function profileAddresses({ home, issuer, gateway, loginClient }: AddOptions) {
  if (home === undefined) return { issuer, gateway, loginClient };
  if (issuer !== undefined || gateway !== undefined) {
    throw new TradeAgentError('usage', '--home replaces --issuer and --gateway', {
      hint: 'Leave both out.',
    });
  }
  const address = home.replace(/\/+$/, '');
  return { issuer: address, gateway: address, loginClient: loginClient ?? HOME_LOGIN_CLIENT };
}

async function report(context: Context, name: string, added: AddedProfile): Promise<void> {
  const { providerFindingLines } = await import('./provider-report.ts');
  const next = [`trade-agent profile check ${name}`, `trade-agent login --profile ${name}`];
  const { profile, file, findings } = added;
  await context.output.result('profile-add', { name, profile, file, findings, next }, () =>
    [
      ...providerFindingLines(context, findings),
      '',
      `Profile ${name} (${environmentName(profile.environment)}) is in ${file}.`,
      'Next:',
      ...next.map((command) => `  ${command}`),
    ].join('\n'),
  );
}

const questions: Readonly<Record<PromptedSetting, readonly [option: string, question: string]>> = {
  issuer: ['--issuer', 'Issuer (address of the identity provider)'],
  gateway: ['--gateway', 'Gateway (address of the order gateway)'],
  loginClient: ['--login-client', 'Login client ID'],
};

async function askSetting({ io, signal }: Context, setting: PromptedSetting): Promise<string> {
  const [option, question] = questions[setting];
  if (!io.interactive) {
    throw new TradeAgentError('usage', `${option} is missing`, {
      hint: 'Pass it as an option, because there is no terminal for a prompt; see --help.',
    });
  }
  for (;;) {
    const text = (await io.prompt(`${question}: `, signal)).trim();
    if (text !== '') return text;
  }
}
