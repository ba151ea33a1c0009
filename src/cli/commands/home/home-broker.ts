import { exits } from '../../../app/exit-codes.ts';
import { TradeAgentError } from '../../../errors/errors.ts';
import { type OfferedBroker, offeredBrokers } from '../../../gateway/broker/offered-brokers.ts';
import { utcSeconds } from '../../../machine/clock.ts';
import { safeLine } from '../../../text/shown-text.ts';
import { environmentWord } from '../../../trading/environment.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import { choiceOption, descriptorNumber } from '../../options/choice.ts';
import type { BrokerKeyOptions } from './broker-keys.ts';
import { folderOf } from './folder-of.ts';

interface WhoseOptions {
  readonly user?: string;
  readonly broker?: string;
}

type SetOptions = BrokerKeyOptions & WhoseOptions;

export function addHomeBroker(home: CliCommand): void {
  const broker = home
    .command('broker')
    .summary("its brokers, and what opens people's accounts there")
    .description(
      "The home's brokers, and the keys by which it opens people's accounts there. Keys are never shown.",
    )
    .examples(
      ['trade-agent home broker set', 'after new keys were made at the broker'],
      ['trade-agent home broker add tradier --kind tradier', 'an account at another broker'],
    );
  addHomeBrokers(broker);
  broker
    .command('show', { isDefault: true })
    .description('Shows whose accounts can be opened; no key and no part of one.')
    .examples(['trade-agent home broker show --output json', 'for scripts'])
    .runs(async (context, _options: unknown, command: CliCommand) => {
      const { listBrokerKeys } = await import('../../../app/home/brokers.ts');
      const accounts = (await listBrokerKeys(context, folderOf(command))).map((kept) => ({
        user: kept.sub,
        broker: kept.broker,
        number: kept.accountNumber,
        environment: kept.environment,
        kept_at: utcSeconds(kept.keptAt),
      }));
      await context.output.result('home-broker', { accounts }, () =>
        accounts.length === 0
          ? 'No keys are kept: "trade-agent home broker set" asks for them.'
          : accounts
              .map(
                ({ user, broker, number, environment, kept_at }) =>
                  `${user}  account ${safeLine(number)} (${environmentWord(environment)}) at ${broker}, since ${kept_at}`,
              )
              .join('\n'),
      );
    });
  addSet(broker);
  addTools(broker);
  broker
    .command('remove')
    .description("Erases a person's keys. Orders at the broker stay as they are; delete the keys there, too.")
    .option('--user <name>', 'whose (default: the one who lives here)')
    .option('--broker <name>', 'at which of several brokers, by its name in gateway.yaml')
    .requiredOption('--yes', 'it is meant')
    .examples(['trade-agent home broker remove --user bob --yes', ''])
    .runs(async (context, options: WhoseOptions, command: CliCommand) => {
      const { removeBrokerKeys } = await import('../../../app/home/brokers.ts');
      const { username, broker: name } = await removeBrokerKeys(context, {
        folder: folderOf(command),
        username: options.user,
        broker: options.broker,
      });
      await context.output.result(
        'home-broker-remove',
        { user: username, broker: name },
        () => `The broker keys of ${username} are erased here.`,
      );
    });
}

function addTools(broker: CliCommand): void {
  broker
    .command('tools')
    .description(
      "Shows what the tools of a broker's own MCP server say that send and cancel orders, and how to confirm them: exit 3 where one is not as it was confirmed.",
    )
    .option('--user <name>', 'by whose token (default: the one who lives here)')
    .option('--broker <name>', 'at which of several brokers, by its name in gateway.yaml')
    .examples(['trade-agent home broker tools', 'after an order was refused because one changed'])
    .exits(exits.found)
    .runs(async (context, options: WhoseOptions, command: CliCommand) => {
      const { lookAtBrokerTools } = await import('../../../app/home/brokers.ts');
      const { brokerToolsText } = await import('./broker-tools.ts');
      const { user: username, broker: name } = options;
      const at = { folder: folderOf(command), username, broker: name };
      const { broker: named, tools } = await lookAtBrokerTools(context, at);
      const shown = tools.map(({ pin, parameters, ...tool }) => ({
        ...tool,
        arguments: parameters,
        sha256: pin ?? null,
      }));
      await context.output.result('home-broker-tools', { broker: named, tools: shown }, () =>
        brokerToolsText(named, tools),
      );
      return tools.every(({ state }) => state === 'confirmed') ? exits.done : exits.found;
    });
}

function addSet(broker: CliCommand): void {
  broker
    .command('set')
    .description(
      "Keeps a person's keys, in place of those before; they are tried at the broker first. Also while the home is served.",
    )
    .option('--user <name>', 'whose (default: the one who lives here)')
    .option('--broker <name>', 'at which of several brokers, by its name in gateway.yaml')
    .option(
      '--broker-key-file <file>',
      'key id and secret on two lines, or key= and secret= lines (what the broker has: docs/guide/BROKERS.md); 0600',
    )
    .option('--broker-key-fd <number>', 'the same from an open descriptor', descriptorNumber)
    .option('--confirm-live <account>', 'the number of an account with real money, to say that it is meant')
    .examples(
      ['trade-agent home broker set', 'asks for what the broker has, without showing it'],
      ['trade-agent home broker set --broker-key-file keys.txt', 'for scripts'],
      ['trade-agent home broker set --broker ira', 'of several brokers'],
    )
    .runs(async (context, options: SetOptions, command: CliCommand) => {
      const { setBrokerKeys, whatIsKept } = await import('../../../app/home/brokers.ts');
      const { confirmAccount, readBrokerKeys } = await import('./broker-keys.ts');
      const folder = folderOf(command);
      const pair = await readBrokerKeys(context, options, await whatIsKept(folder, options.broker));
      const {
        username,
        broker: name,
        account,
      } = await setBrokerKeys(
        context,
        { folder, username: options.user, broker: options.broker, pair },
        (found) => confirmAccount(context, found, options.confirmLive),
      );
      const { accountNumber, environment, status } = account;
      await context.output.result(
        'home-broker-set',
        { user: username, broker: name, number: accountNumber, environment, status },
        () =>
          `Account ${safeLine(accountNumber)} (${environmentWord(environment)}) of ${username}: ${safeLine(status)}`,
      );
    });
}

interface AddOptions extends BrokerKeyOptions {
  readonly kind?: OfferedBroker;
  readonly credentials?: string;
  readonly brokerUrl?: string;
  readonly label?: string;
  readonly user?: string;
}

function addHomeBrokers(broker: CliCommand): void {
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
