import { exits } from '../../../app/exit-codes.ts';
import { utcSeconds } from '../../../machine/clock.ts';
import { safeLine } from '../../../text/shown-text.ts';
import { environmentWord } from '../../../trading/environment.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import { descriptorNumber } from '../../options/choice.ts';
import type { BrokerKeyOptions } from './broker-keys.ts';
import { folderOf } from './folder-of.ts';
import { addHomeBrokers } from './home-brokers.ts';

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
