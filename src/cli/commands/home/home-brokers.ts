import { exits } from '../../../app/exit-codes.ts';
import { TradeAgentError } from '../../../errors/errors.ts';
import { type OfferedBroker, offeredBrokers } from '../../../gateway/broker/offered-brokers.ts';
import { safeLine } from '../../../text/shown-text.ts';
import { environmentWord } from '../../../trading/environment.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import { choiceOption, descriptorNumber } from '../../options/choice.ts';
import type { BrokerKeyOptions } from './broker-keys.ts';
import { folderOf } from './folder-of.ts';

interface AddOptions extends BrokerKeyOptions {
  readonly kind?: OfferedBroker;
  readonly credentials?: string;
  readonly brokerUrl?: string;
  readonly label?: string;
  readonly user?: string;
}

export function addHomeBrokers(broker: CliCommand): void {
  broker
    .command('list')
    .description('Lists the brokers of the home, and whose accounts are opened there. Asks none of them.')
    .examples(['trade-agent home broker list --output json', 'for scripts'])
    .runs(async (context, _options: unknown, command: CliCommand) => {
      const { listBrokers } = await import('../../../app/home/brokers.ts');
      const brokers = await listBrokers(context, folderOf(command));
      await context.output.result('home-brokers', { brokers }, () =>
        brokers
          .map(({ name, label, kind, credentials, address, accounts }) => {
            const whose = accounts.map(({ user, number }) => `${safeLine(number)} of ${user}`).join(', ');
            const where = address === null ? '' : `, ${address}`;
            return `${name}  ${safeLine(label)} (${kind}), ${credentials}${where}: ${whose === '' ? 'no account yet' : whose}`;
          })
          .join('\n'),
      );
    });
  addAdd(broker);
}

function addAdd(broker: CliCommand): void {
  broker
    .command('add')
    .description(
      'Adds a broker to the home: asks for what opens an account there, tries it, and names the broker in gateway.yaml. A home that is served then has to be started again.',
    )
    .argument('<name>', 'what it is to be called: tradier, ira')
    .addOption(choiceOption('--kind <kind>', 'which broker it is', offeredBrokers))
    .option(
      '--credentials <kind>',
      'what opens accounts, of several that a broker has (docs/guide/BROKERS.md)',
    )
    .option('--broker-url <url>', "where the broker's API is (default: the broker's own address)")
    .option('--label <text>', "what you call the account: IRA (default: the broker's own name)")
    .option('--user <name>', 'whose account (default: the one who lives here)')
    .option(
      '--broker-key-file <file>',
      'what opens it: a line each, or name=value lines (docs/guide/BROKERS.md); 0600',
    )
    .option('--broker-key-fd <number>', 'the same from an open descriptor', descriptorNumber)
    .option('--confirm-live <account>', 'the number of an account with real money, to say that it is meant')
    .examples(
      ['trade-agent home broker add tradier --kind tradier', 'asks for account and token'],
      ['trade-agent home broker add ira --kind alpaca --label IRA --broker-key-file keys.txt', 'for scripts'],
    )
    .exits(exits.busy)
    .runs(async (context, name: string, options: AddOptions, command: CliCommand) => {
      const { addBroker, requireNewBroker } = await import('../../../app/home/brokers.ts');
      const { brokerAnswer } = await import('./broker-answer.ts');
      const { confirmAccount, readBrokerKeys } = await import('./broker-keys.ts');
      const { keptKindOf } = await import('../../../gateway/broker/verify-keys.ts');
      const folder = folderOf(command);
      await requireNewBroker(folder, name);
      const { kind, credentials, brokerUrl: url, label } = options;
      if (kind === undefined && !context.io.interactive) {
        throw new TradeAgentError('usage', '--kind is missing', {
          hint: `Say which broker it is: ${offeredBrokers.join(', ')}. Nothing was written.`,
        });
      }
      const entry = await brokerAnswer(context, { kind, credentials, url, label });
      const pair = await readBrokerKeys(context, options, keptKindOf(entry.settings));
      const { username, account, brokers, runs } = await addBroker(
        context,
        { folder, name, entry, username: options.user, pair },
        (found) => confirmAccount(context, found, options.confirmLive),
      );
      const { accountNumber, environment, status } = account;
      await context.output.result(
        'home-broker-add',
        {
          broker: name,
          kind: entry.settings.kind,
          user: username,
          number: accountNumber,
          environment,
          status,
          brokers,
          restart: runs,
        },
        () =>
          [
            `${name} is a broker of this home: account ${safeLine(accountNumber)} (${environmentWord(environment)}) of ${username} at ${entry.label}.`,
            ...(runs
              ? [
                  'The home that runs knows nothing of it yet: end it, and start "trade-agent home serve" again.',
                ]
              : []),
          ].join('\n'),
      );
    });
}
