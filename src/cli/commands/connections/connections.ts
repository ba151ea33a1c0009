import type { ListedConnection } from '../../../app/connections.ts';
import { exitCodes, sessionExitCodes } from '../../../app/exit-codes.ts';
import type { ConnectionLink } from '../../../app/index.ts';
import { DEFAULT_REDIRECT_PORT } from '../../../auth/connections/known-connections.ts';
import { TradeAgentError } from '../../../errors/errors.ts';
import { safeLine } from '../../../text/sanitize.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import type { Context } from '../../context/context.ts';

const names = 'broker, slack or gmail';

export function addConnectionsCommand(program: CliCommand): void {
  const connections = program
    .command('connections')
    .summary('manage connections to your broker, Slack and Gmail')
    .description(
      'Connect your accounts at other services. You sign in at each service once, in your browser. The access that you allow is stored by your identity provider, never by the agent, and used only by the gateway.',
    )
    .examples(
      ['trade-agent connections', 'what is connected, and what can be'],
      ['trade-agent connections add slack', 'shows a link and waits for you'],
      ['trade-agent connections remove broker', 'also revokes the access at the broker'],
    )
    .exits(...sessionExitCodes);
  connections
    .command('list', { isDefault: true })
    .description('list connections, and what can be connected')
    .examples(
      ['trade-agent connections list', 'one row each'],
      ['trade-agent connections list --output json', 'for scripts'],
    )
    .exits(...sessionExitCodes)
    .runs(printConnections);
  connections
    .command('add')
    .description('connect an account: print a link and wait until you have signed in')
    .argument('<name>', names)
    .option('--open', 'open the link in the browser')
    .option(
      '--redirect-port <port>',
      'the local port to redirect the browser to, for providers that need one',
      parsePort,
      DEFAULT_REDIRECT_PORT,
    )
    .examples(
      ['trade-agent connections add broker', 'on this machine, or on your phone with the QR code'],
      ['trade-agent connections add slack --open --timeout 5m', 'opens the page in your browser'],
      ['trade-agent connections add gmail --output stream-json', 'the link as an event, for scripts'],
    )
    .exits(...sessionExitCodes, exitCodes.timedOut)
    .runs(connect);
  connections
    .command('remove')
    .description('disconnect an account, here and at the third party')
    .argument('<name>', names)
    .examples(['trade-agent connections remove slack', 'you can connect it again at any time'])
    .exits(...sessionExitCodes)
    .runs(disconnect);
}

async function printConnections(context: Context): Promise<void> {
  const { listConnections } = await import('../../../app/connections.ts');
  const connections = await listConnections(context);
  await context.output.result('connections', { connections }, async () => {
    const { formatTable } = await import('../../text/table.ts');
    return formatTable<ListedConnection>(
      [
        { head: 'NAME', cell: ({ name }) => name },
        { head: 'ACCOUNT', cell: ({ label }) => label },
        { head: 'STATUS', cell: ({ connected }) => (connected ? 'connected' : 'not connected') },
        { head: 'MAY', cell: ({ scopes }) => safeLine(scopes.join(' ')) },
        { head: 'SINCE', cell: ({ connected_at }) => safeLine(connected_at ?? '') },
      ],
      connections,
    );
  });
}

async function connect(
  context: Context,
  text: string,
  options: { open?: boolean; redirectPort: number },
): Promise<void> {
  const { addConnection } = await import('../../../app/connections.ts');
  const { parseConnectionName } = await import('./connection-link.ts');
  const { name, label, provider_name, scopes, already } = await addConnection(context, parseConnectionName(text), {
    redirectPort: options.redirectPort,
    show: (link) => showLink(context, link, options.open ?? false),
  });
  await context.output.result('connection', { name, provider_name, connected: true, already, scopes }, () =>
    already ? `${capitalize(label)} is already connected.` : `Connected ${label}.`,
  );
}

async function showLink(context: Context, link: ConnectionLink, open: boolean): Promise<void> {
  const { output } = context;
  const { name, address, expiresAt } = link;
  output.event({ type: 'connection_link', name, address, expires_at: new Date(expiresAt).toISOString() });
  if (output.format !== 'stream-json') {
    const { showConnectionLink } = await import('./connection-link.ts');
    await showConnectionLink(context, link);
  }
  if (open) {
    const { openBrowser } = await import('../../terminal/open-browser.ts');
    await openBrowser(context, address);
  }
}

async function disconnect(context: Context, text: string): Promise<void> {
  const { removeConnection } = await import('../../../app/connections.ts');
  const { parseConnectionName } = await import('./connection-link.ts');
  const { name, label, provider_name, removed } = await removeConnection(context, parseConnectionName(text));
  await context.output.result('connection-remove', { name, provider_name, connected: false, removed }, () =>
    removed ? `Disconnected ${label}.` : `There was no connection to ${label}.`,
  );
}

function capitalize(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function parsePort(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  throw new TradeAgentError('usage', `--redirect-port can't be "${text}"`, {
    hint: 'Choose a port from 1 to 65535, or 0 for any free port.',
  });
}
