import { exits } from '../../../app/exit-codes.ts';
import { offeredBrokers } from '../../../gateway/broker/offered-brokers.ts';
import { safeLine } from '../../../text/shown-text.ts';
import { environmentWord } from '../../../trading/environment.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import type { Context } from '../../context/context.ts';
import { choiceOption, descriptorNumber } from '../../options/choice.ts';
import { listenAddress } from '../../options/listen-address.ts';
import { addListeningOptions } from '../../options/listening.ts';
import { folderOf } from './folder-of.ts';
import type { InitOptions } from './init-answers.ts';

export function addHomeInit(home: CliCommand): void {
  const making = home
    .command('init')
    .description(
      'Makes a home: asks for its address, your name, your broker and what opens your account there (not shown), limits and notices, or takes all of it as options. What opens the account is tried at the broker first. Nothing is served, and nothing is left behind when it is interrupted.',
    )
    .option(
      '--address <url>',
      'https://NAME, or http://localhost:PORT for this machine alone (default: http://localhost:4780)',
    )
    .option('--name <name>', 'yours, as the phone shows it')
    .option('--user <name>', 'your user name (default: made of the name)')
    .option('--email <address>', 'your e-mail address (default: none)')
    .addOption(choiceOption('--broker <kind>', 'where your account is (default: alpaca)', offeredBrokers))
    .option('--credentials <kind>', 'what opens it, of several that a broker has (docs/guide/BROKERS.md)')
    .option(
      '--broker-key-file <file>',
      'what opens it: key id and secret on two lines, or key= and secret= lines, or what the broker has; 0600',
    )
    .option('--broker-key-fd <number>', 'the same from an open descriptor', descriptorNumber)
    .option('--broker-url <url>', "where the broker's API is (default: the broker's own address)")
    .addOption(
      choiceOption('--environment <name>', 'what a broker at --broker-url trades (default: paper)', [
        'paper',
        'live',
      ]),
    )
    .option('--confirm-live <account>', 'the number of an account with real money, to say that it is meant')
    .option('--max-order <dollars>', 'the most that one order may come to (default: 1000)')
    .option('--max-day-orders <count>', 'the most orders a day (default: 20)')
    .option('--ntfy <topic>', 'also tell by ntfy: a topic, or its whole address (default: pushes alone)')
    .option(
      '--listen <host:port>',
      'where it listens on this machine (default: by the address)',
      listenAddress,
    );
  addListeningOptions(making)
    .option('-y, --yes', 'take the defaults for what is not given')
    .examples(
      ['trade-agent home init', 'asks six questions'],
      ['trade-agent home init --broker tradier', 'asks for account and token'],
      [
        'trade-agent home init --address https://home.tail1234.ts.net --name Ada --broker-key-file keys.txt --yes',
        'for scripts',
      ],
    )
    .exits(exits.busy)
    .runs((context, options: InitOptions, command: CliCommand) => init(context, folderOf(command), options));
}

async function init(context: Context, folder: string, options: InitOptions): Promise<void> {
  const { makeHome } = await import('./make-home.ts');
  const made = await makeHome(context, folder, options);
  const { opened, settings, owner, limits, recoveryCode } = made;
  const { accountNumber, environment, status } = opened.account;
  const next = [
    'trade-agent home serve',
    'trade-agent home pair',
    `trade-agent profile add home --home ${settings.address}`,
  ];
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
        `Account   ${safeLine(accountNumber)} (${environmentWord(environment)}) at ${opened.entry.label}`,
        '',
        `Recovery code   ${recoveryCode}`,
        'Write it down; it is not shown again. Without any phone it lets you read, deny and halt;',
        'it approves nothing, and pairs no phone.',
        '',
        'Next:',
        '  trade-agent home serve     in a terminal of its own; shows a QR code for your phone',
        `  trade-agent profile add home --home ${settings.address}`,
        '  trade-agent login --profile home',
      ].join('\n'),
  );
}
