import { exitCodes } from '../../../app/exit-codes.ts';
import { offeredBrokers, PRACTICE_BROKER } from '../../../gateway/broker/offered-brokers.ts';
import { safeLine } from '../../../text/sanitize.ts';
import { environmentName } from '../../../trading/environment.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import type { Context } from '../../context/context.ts';
import { createChoiceOption, parseFileDescriptor } from '../../options/choice.ts';
import { parseListenAddress } from '../../options/listen-address.ts';
import { addListeningOptions } from '../../options/listening.ts';
import { resolveHomeFolder } from './home-folder-option.ts';
import type { InitOptions } from './init-answers.ts';

export function addHomeInitCommand(home: CliCommand): void {
  const making = home
    .command('init')
    .description(
      'Create a home. Asks where your phone is, for your name, your broker and its credentials (hidden), limits and notices, or takes them as options. Tests the credentials at the broker. Practice with simulated money needs none. Does not start the home, and leaves nothing behind if interrupted.',
    )
    .addOption(createPhoneOption())
    .option(
      '--address <url>',
      'https://NAME, or http://localhost:PORT for this machine only (default: http://localhost:4780)',
    )
    .option('--name <name>', 'your name, as shown on the phone')
    .option('--user <name>', 'your username (default: derived from the name)')
    .option('--email <address>', 'your email address (default: none)')
    .addOption(
      createChoiceOption('--broker <kind>', 'your broker, or practice: simulated money, no keys (default: alpaca)', [
        ...offeredBrokers,
        PRACTICE_BROKER,
      ]),
    )
    .option('--credentials <kind>', 'the kind of credentials, if the broker has several (docs/guide/BROKERS.md)')
    .option(
      '--broker-key-file <file>',
      'a file (mode 0600) with the credentials: key ID and secret on two lines, or name=value lines (docs/guide/BROKERS.md)',
    )
    .option('--broker-key-fd <number>', 'an open file descriptor with the same content', parseFileDescriptor)
    .option('--broker-url <url>', "address of the broker's API (default: the broker's own)")
    .addOption(
      createChoiceOption('--environment <name>', 'paper or live, for a broker at --broker-url (default: paper)', [
        'paper',
        'live',
      ]),
    )
    .option('--confirm-live <account>', 'the number of the live account, to confirm that you want to trade real money')
    .option('--max-order <dollars>', 'maximum order size, in dollars (default: 1000)')
    .option('--max-day-orders <count>', 'maximum number of orders per day (default: 20)')
    .option('--ntfy <topic>', 'also notify through ntfy: a topic or its full address (default: push only)')
    .option('--listen <host:port>', 'the local address to listen on (default: from --address)', parseListenAddress);
  addAcmeOptions(addListeningOptions(making))
    .option('-y, --yes', 'use the defaults without asking')
    .examples(
      ['trade-agent home init', 'asks a few questions'],
      ['trade-agent home init --broker practice', 'simulated money: no broker, no keys'],
      ['trade-agent home init --broker tradier', 'asks for account and token'],
      ['trade-agent home init --phone funnel', 'your phone, from anywhere, through Tailscale'],
      ['trade-agent home init --phone domain --address https://home.example', 'your domain, with a free certificate'],
      [
        'trade-agent home init --address https://home.tail1234.ts.net --name Ada --broker-key-file keys.txt --yes',
        'for scripts',
      ],
    )
    .exits(exitCodes.busy)
    .runs((context, options: InitOptions, command: CliCommand) => init(context, resolveHomeFolder(command), options));
}

export const createPhoneOption = () =>
  createChoiceOption(
    '--phone <where>',
    'where your phone is: this browser, anywhere through Tailscale funnel or serve, or behind your own domain or proxy',
    ['browser', 'funnel', 'serve', 'domain', 'proxy'],
  );

/** Adds the options for a home that uses its owner's domain and gets its certificate itself. */
export function addAcmeOptions(command: CliCommand): CliCommand {
  return command
    .option(
      '--agree-tos',
      'agree to the terms of the certificate authority (with --phone domain and no certificate files)',
    )
    .option('--acme-email <address>', 'where the authority may report problems (default: none)')
    .option('--acme-directory <url>', "the authority's ACME directory (default: Let's Encrypt)")
    .addOption(
      createChoiceOption(
        '--challenge <type>',
        'how the authority checks the domain: on port 443 (tls-alpn-01, default) or 80',
        ['tls-alpn-01', 'http-01'],
      ),
    );
}

async function init(context: Context, folder: string, options: InitOptions): Promise<void> {
  const { makeHome } = await import('./make-home.ts');
  const made = await makeHome(context, folder, options);
  const { opened, settings, owner, limits, recoveryCode } = made;
  const { accountNumber, environment, status } = opened.account;
  const program = programName(context.env);
  const next = [
    `${program} home serve`,
    `${program} home pair`,
    `${program} profile add home --home ${settings.address}`,
  ];
  const { isLocalAddress } = await import('../../../home/settings/home-address.ts');
  const isLocal = isLocalAddress(settings.address);
  const isProfileAdded = isLocal && (await addFirstProfile(context, settings.address, environment));
  await context.output.result(
    'home-init',
    {
      folder,
      address: settings.address,
      owner,
      broker: opened.entry.settings.kind,
      account: { number: accountNumber, environment, status },
      limits,
      recovery_code: recoveryCode,
      next,
    },
    () =>
      [
        `The home of ${safeLine(owner.name)} (${owner.username}) is in ${folder}.`,
        `Address   ${settings.address}`,
        `Account   ${safeLine(accountNumber)} (${environmentName(environment)}) at ${opened.entry.label}`,
        '',
        `Recovery code   ${recoveryCode}`,
        'Write it down; it is not shown again. It lets you read, deny and halt without a phone,',
        'but not approve or pair a phone.',
        '',
        'Next:',
        `  ${program} home serve     in a separate terminal; shows ${isLocal ? 'a link for your browser' : 'a QR code for your phone'}`,
        ...(isProfileAdded
          ? [`  ${program} login`, `  ${program} run "buy 1 AAPL"`]
          : [`  ${program} profile add home --home ${settings.address}`, `  ${program} login --profile home`]),
      ].join('\n'),
  );
}

/** Returns the command that starts the program. With npx, which sets `npm_command`, the program is not on the path. */
function programName({ npm_command: command }: NodeJS.ProcessEnv): string {
  return command === 'exec' ? 'npx trade-agent' : 'trade-agent';
}

/**
 * Saves a profile for a new home at a local address and makes it the default, if a person created the home in a
 * terminal and the agent on this machine has no profile yet. Returns whether it did.
 */
async function addFirstProfile(context: Context, address: string, environment: 'paper' | 'live'): Promise<boolean> {
  if (!context.io.interactive) return false;
  const { isFirstRun, saveHomeAsDefault } = await import('../../../app/chat.ts');
  if (!(await isFirstRun(context))) return false;
  await saveHomeAsDefault(context, { address, environment });
  return true;
}
