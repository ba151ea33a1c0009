import { exitCodes } from '../../../app/exit-codes.ts';
import { TradeAgentError } from '../../../errors/errors.ts';
import { type OfferedBroker, offeredBrokers } from '../../../gateway/broker/offered-brokers.ts';
import { formatUtcSeconds } from '../../../machine/clock.ts';
import { safeLine } from '../../../text/sanitize.ts';
import { environmentName } from '../../../trading/environment.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import type { Context } from '../../context/context.ts';
import { createChoiceOption, parseFileDescriptor } from '../../options/choice.ts';
import type { BrokerKeyOptions } from './broker-keys.ts';
import { resolveHomeFolder } from './home-folder-option.ts';

interface UserOptions {
  readonly user?: string;
  readonly broker?: string;
}

type SetOptions = BrokerKeyOptions & UserOptions;

export function addHomeBrokerCommands(home: CliCommand): void {
  const broker = home
    .command('broker')
    .summary("manage the home's brokers and their keys")
    .description("Manage the home's brokers, and the keys of users' accounts at these brokers. Keys are never shown.")
    .examples(
      ['trade-agent home broker set', 'after creating new keys at the broker'],
      ['trade-agent home broker add tradier --kind tradier', 'an account at another broker'],
    );
  addHomeBrokers(broker);
  broker
    .command('show', { isDefault: true })
    .description('Show the users with broker keys, without any part of the keys.')
    .examples(['trade-agent home broker show --output json', 'for scripts'])
    .runs(async (context, _options: unknown, command: CliCommand) => {
      const { listBrokerKeys } = await import('../../../app/home/brokers.ts');
      const accounts = (await listBrokerKeys(context, resolveHomeFolder(command))).map((kept) => ({
        user: kept.sub,
        broker: kept.broker,
        number: kept.accountNumber,
        environment: kept.environment,
        kept_at: formatUtcSeconds(kept.keptAt),
      }));
      await context.output.result('home-broker', { accounts }, () =>
        accounts.length === 0
          ? 'No keys are stored. Add them with "trade-agent home broker set".'
          : accounts
              .map(
                ({ user, broker, number, environment, kept_at }) =>
                  `${user}  account ${safeLine(number)} (${environmentName(environment)}) at ${broker}, since ${kept_at}`,
              )
              .join('\n'),
      );
    });
  addSet(broker);
  addTools(broker);
  broker
    .command('remove')
    .description("Erase a user's keys. Orders at the broker are not affected; delete the keys at the broker as well.")
    .option('--user <name>', 'the user (default: the only one)')
    .option('--broker <name>', 'the broker, by its name in gateway.yaml')
    .requiredOption('--yes', 'confirm that you want to erase the keys')
    .examples(['trade-agent home broker remove --user bob --yes', ''])
    .runs(async (context, options: UserOptions, command: CliCommand) => {
      const { removeBrokerKeys } = await import('../../../app/home/brokers.ts');
      const { username, broker: name } = await removeBrokerKeys(context, {
        folder: resolveHomeFolder(command),
        username: options.user,
        broker: options.broker,
      });
      await context.output.result(
        'home-broker-remove',
        { user: username, broker: name },
        () => `Erased the broker keys of ${username}.`,
      );
    });
}

function addTools(broker: CliCommand): void {
  broker
    .command('tools')
    .description(
      "Show the order tools of a broker's own MCP server and how to confirm them. Exits with 3 if a tool is not confirmed.",
    )
    .option('--user <name>', 'the user whose token to use (default: the only one)')
    .option('--broker <name>', 'the broker, by its name in gateway.yaml')
    .examples(['trade-agent home broker tools', 'after an order was rejected because a tool changed'])
    .exits(exitCodes.found)
    .runs(async (context, options: UserOptions, command: CliCommand) => {
      const { inspectBrokerTools } = await import('../../../app/home/brokers.ts');
      const { brokerToolsText } = await import('./broker-tools.ts');
      const { user: username, broker: name } = options;
      const at = { folder: resolveHomeFolder(command), username, broker: name };
      const { broker: named, tools } = await inspectBrokerTools(context, at);
      const shown = tools.map(({ pin, parameters, ...tool }) => ({
        ...tool,
        arguments: parameters,
        sha256: pin ?? null,
      }));
      await context.output.result('home-broker-tools', { broker: named, tools: shown }, () =>
        brokerToolsText(named, tools),
      );
      return tools.every(({ state }) => state === 'confirmed') ? exitCodes.done : exitCodes.found;
    });
}

function addSet(broker: CliCommand): void {
  broker
    .command('set')
    .description(
      "Store a user's keys, replacing earlier keys, after testing the new keys at the broker. Works while the home runs. At the practice broker, opens an account without keys.",
    )
    .option('--user <name>', 'the user (default: the only one)')
    .option('--broker <name>', 'the broker, by its name in gateway.yaml')
    .option(
      '--broker-key-file <file>',
      'a file (mode 0600) with the key ID and secret on two lines, or with key= and secret= lines (depends on the broker: docs/guide/BROKERS.md)',
    )
    .option('--broker-key-fd <number>', 'an open file descriptor with the same content', parseFileDescriptor)
    .option('--confirm-live <account>', 'confirm a live account by its number')
    .examples(
      ['trade-agent home broker set', 'asks for the credentials (hidden)'],
      ['trade-agent home broker set --broker-key-file keys.txt', 'for scripts'],
      ['trade-agent home broker set --broker ira', 'for one of several brokers'],
    )
    .runs(async (context, options: SetOptions, command: CliCommand) => {
      const { username, broker: name, account } = await setKeys(context, resolveHomeFolder(command), options);
      const { accountNumber, environment, status } = account;
      await context.output.result(
        'home-broker-set',
        { user: username, broker: name, number: accountNumber, environment, status },
        () =>
          `Account ${safeLine(accountNumber)} (${environmentName(environment)}) of ${username}: ${safeLine(status)}`,
      );
    });
}

async function setKeys(context: Context, folder: string, { user: username, broker, ...options }: SetOptions) {
  const { setBrokerKeys, findCredentialKind } = await import('../../../app/home/brokers.ts');
  const { addPracticeAccount, hasPracticeBroker } = await import('../../../app/home/practice-account.ts');
  if (await hasPracticeBroker(folder, broker)) return await addPracticeAccount(context, { folder, username });
  const { confirmAccount, readBrokerKeys } = await import('./broker-keys.ts');
  const pair = await readBrokerKeys(context, options, await findCredentialKind(folder, broker));
  return await setBrokerKeys(context, { folder, username, broker, pair }, (found) =>
    confirmAccount(context, found, options.confirmLive),
  );
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
    .description("List the home's brokers and the accounts at each broker, without contacting the brokers.")
    .examples(['trade-agent home broker list --output json', 'for scripts'])
    .runs(async (context, _options: unknown, command: CliCommand) => {
      const { listBrokers } = await import('../../../app/home/brokers.ts');
      const brokers = await listBrokers(context, resolveHomeFolder(command));
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
      'Add a broker to the home: ask for the credentials, test them, and add the broker to gateway.yaml. A running home must be restarted.',
    )
    .argument('<name>', 'a name for the broker, such as tradier or ira')
    .addOption(createChoiceOption('--kind <kind>', 'the broker', offeredBrokers))
    .option('--credentials <kind>', 'the kind of credentials, if the broker has several (docs/guide/BROKERS.md)')
    .option('--broker-url <url>', "address of the broker's API (default: the broker's own)")
    .option('--label <text>', "a name for the account, such as IRA (default: the broker's name)")
    .option('--user <name>', 'the user (default: the only one)')
    .option(
      '--broker-key-file <file>',
      'a file (mode 0600) with the credentials, one per line, or with name=value lines (docs/guide/BROKERS.md)',
    )
    .option('--broker-key-fd <number>', 'an open file descriptor with the same content', parseFileDescriptor)
    .option('--confirm-live <account>', 'confirm a live account by its number')
    .examples(
      ['trade-agent home broker add tradier --kind tradier', 'asks for account and token'],
      ['trade-agent home broker add ira --kind alpaca --label IRA --broker-key-file keys.txt', 'for scripts'],
    )
    .exits(exitCodes.busy)
    .runs(async (context, name: string, options: AddOptions, command: CliCommand) => {
      const { addBroker, requireNewBroker } = await import('../../../app/home/brokers.ts');
      const { promptForBroker } = await import('./broker-answer.ts');
      const { confirmAccount, readBrokerKeys } = await import('./broker-keys.ts');
      const { requireCredentialKind } = await import('../../../gateway/broker/verify-keys.ts');
      const folder = resolveHomeFolder(command);
      await requireNewBroker(folder, name);
      const { kind, credentials, brokerUrl: url, label } = options;
      if (kind === undefined && !context.io.interactive) {
        throw new TradeAgentError('usage', '--kind is missing', {
          hint: `Choose a broker: ${offeredBrokers.join(', ')}. Nothing was written.`,
        });
      }
      const entry = await promptForBroker(context, { kind, credentials, url, label });
      const pair = await readBrokerKeys(context, options, requireCredentialKind(entry.settings));
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
            `Added ${name} to this home: account ${safeLine(accountNumber)} (${environmentName(environment)}) of ${username} at ${entry.label}.`,
            ...(runs
              ? ['The running home does not use the broker yet: stop the home, and run "trade-agent home serve" again.']
              : []),
          ].join('\n'),
      );
    });
}
