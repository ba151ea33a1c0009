import type { Command } from 'commander';
import { TradeAgentError } from '../../../trading/errors.ts';
import { type Cli, runCommand } from '../../cli.ts';
import { examples, exitCodes } from '../../options/help.ts';

interface AddOptions {
  readonly open?: boolean;
  readonly redirectPort: number;
}

/** For providers that send the browser back to this machine, unless said otherwise. */
const REDIRECT_PORT = 4766;

const names = 'broker, slack or gmail';

export function addConnectionsCommand(program: Command, cli: Cli): void {
  const connections = program
    .command('connections')
    .summary('your accounts elsewhere: broker, Slack, Gmail')
    .description(
      'Connects your accounts elsewhere. You sign in there, in your browser, once; what you allow is kept by your identity provider, never by the agent, and used through the gateway alone.',
    )
    .addHelpText(
      'after',
      examples([
        ['trade-agent connections', 'what is connected, and what could be'],
        ['trade-agent connections add slack', 'shows a link, and waits for you'],
        ['trade-agent connections remove broker', 'ends the access there too'],
      ]) + exitCodes([4, 11]),
    );
  connections
    .command('list', { isDefault: true })
    .description('list what is connected, and what could be')
    .addHelpText(
      'after',
      examples([
        ['trade-agent connections list', 'one row each'],
        ['trade-agent connections list --output json', 'for scripts'],
      ]) + exitCodes([4, 11]),
    )
    .action((_options, command: Command) =>
      runCommand(cli, command, async (context) => {
        const { listConnections } = await import('../../connections/list-connections.ts');
        await listConnections(context);
      }),
    );
  connections
    .command('add')
    .description('connect an account: prints a link, and waits until you have signed in there')
    .argument('<name>', names)
    .option('--open', 'open the link in the browser')
    .option(
      '--redirect-port <port>',
      'where the browser comes back to, for providers that need it',
      parsePort,
      REDIRECT_PORT,
    )
    .addHelpText(
      'after',
      examples([
        ['trade-agent connections add broker', 'on this machine or, by the QR code, on your phone'],
        ['trade-agent connections add slack --open --timeout 5m', 'opens the page in your browser'],
        ['trade-agent connections add gmail --output stream-json', 'the link as an event, for scripts'],
      ]) + exitCodes([4, 11, 124]),
    )
    .action((name: string, options: AddOptions, command: Command) =>
      runCommand(cli, command, async (context) => {
        const { addConnection } = await import('../../connections/add-connection.ts');
        await addConnection(context, name, {
          open: options.open ?? false,
          redirectPort: options.redirectPort,
        });
      }),
    );
  connections
    .command('remove')
    .description('disconnect an account, here and at the third party')
    .argument('<name>', names)
    .addHelpText(
      'after',
      examples([['trade-agent connections remove slack', 'connect it again whenever you like']]) +
        exitCodes([4, 11]),
    )
    .action((name: string, _options, command: Command) =>
      runCommand(cli, command, async (context) => {
        const { removeConnection } = await import('../../connections/remove-connection.ts');
        await removeConnection(context, name);
      }),
    );
}

function parsePort(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  throw new TradeAgentError('usage', `--redirect-port can't be "${text}"`, {
    hint: 'Give a port from 1 to 65535, or 0 for any free one.',
  });
}
