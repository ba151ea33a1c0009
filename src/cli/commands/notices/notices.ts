import { exitCodes } from '../../../app/exit-codes.ts';
import type { ListedNoticeChannel } from '../../../app/notices/notices.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import type { Context } from '../../context/context.ts';

export function addNoticesCommand(program: CliCommand): void {
  const notices = program
    .command('notices')
    .summary('manage where check results are sent')
    .description(
      'Manage the channels that check results are sent to (desktop, email, slack, webhook, ntfy). They are stored under "notices" in the profile\'s section of config.yaml, or on the profile\'s server.',
    )
    .examples(
      ['trade-agent notices', 'the channels, and whether their secrets are set'],
      ['trade-agent notices add push ntfy topic=alice', 'sends notices through ntfy'],
      ['trade-agent notices set-secret mail', 'asks for the password (hidden)'],
      ['trade-agent notices test mail', 'sends a test notice'],
    )
    .exits(exitCodes.credentialStore);
  notices
    .command('list', { isDefault: true })
    .description('list the channels of the profile')
    .examples(['trade-agent notices list --output json', 'for scripts'])
    .exits(exitCodes.credentialStore)
    .runs(printChannels);
  notices
    .command('add')
    .description(
      'Add a channel to the profile: desktop, email, slack, webhook or ntfy. docs/guide/NOTICES.md lists the settings. Set its secret separately, with "notices set-secret".',
    )
    .argument('<name>', 'a name for the channel')
    .argument('<kind>', 'desktop, email, slack, webhook or ntfy')
    .argument('[settings...]', 'settings as KEY=VALUE; to, rules and tags are repeatable')
    .examples(
      ['trade-agent notices add desk desktop', 'notifications on this screen'],
      [
        'trade-agent notices add mail email host=smtp.example.com user=alice from=agent@example.com to=alice@example.com min_severity=critical',
        'email, only for critical findings',
      ],
    )
    .runs(addChannel);
  notices
    .command('remove')
    .description('remove a channel from the profile and delete its secret')
    .argument('<name>', 'a name from "notices list"')
    .examples(['trade-agent notices remove mail', 'stops notices to this channel'])
    .exits(exitCodes.credentialStore)
    .runs(removeChannel);
  notices
    .command('test')
    .description('send a test notice through a channel; exits with 1 if it could not be sent')
    .argument('<name>', 'a name from "notices list"')
    .examples(['trade-agent notices test mail', 'sends a test notice'])
    .exits(exitCodes.credentialStore)
    .runs(sendTest);
  notices
    .command('set-secret')
    .description(
      "Store a channel's secret in the credential store: an SMTP password, a webhook's signing secret, a Slack address, an ntfy token. It is read from a prompt or from standard input, never from an argument.",
    )
    .argument('<name>', 'a name from "notices list"')
    .examples(
      ['trade-agent notices set-secret mail', 'asks for it (hidden)'],
      [
        'printf whsec_%s "$(openssl rand -base64 32)" | trade-agent notices set-secret hook',
        'sets a new random secret',
      ],
    )
    .exits(exitCodes.credentialStore)
    .runs(setSecret);
}

async function printChannels(context: Context): Promise<void> {
  const { listNoticeChannels } = await import('../../../app/notices/notices.ts');
  const channels = await listNoticeChannels(context);
  await context.output.result('notices', { channels }, async () => {
    if (channels.length === 0) return 'No channels. Add one: trade-agent notices add NAME KIND (docs/guide/NOTICES.md)';
    const { formatTable } = await import('../../text/table.ts');
    const { safeLine } = await import('../../../text/sanitize.ts');
    return formatTable<ListedNoticeChannel>(
      [
        { head: 'NAME', cell: ({ name }) => name },
        { head: 'KIND', cell: ({ kind, enabled }) => (enabled ? kind : `${kind} (off)`) },
        { head: 'FROM', cell: ({ min_severity }) => min_severity },
        { head: 'SECRET', cell: ({ secret }) => secret.replace('_', ' ') },
        { head: 'WAITING', align: 'right', cell: (row) => String(row.waiting) },
        { head: 'TO', cell: ({ to }) => safeLine(to) },
      ],
      channels,
    );
  });
}

async function addChannel(context: Context, name: string, kind: string, settings: readonly string[]): Promise<void> {
  const { addNoticeChannel } = await import('../../../app/notices/notices.ts');
  const { safeLine } = await import('../../../text/sanitize.ts');
  const added = await addNoticeChannel(context, name, kind, settings);
  await context.output.result('notice-added', { channel: name, ...added }, () =>
    [
      `${name} sends notices to ${safeLine(added.to)}.`,
      added.secret === 'none'
        ? `Try it: trade-agent notices test ${name}`
        : `${added.secret === 'required' ? 'The channel needs a secret' : 'If the channel needs a secret'}: trade-agent notices set-secret ${name}`,
    ].join('\n'),
  );
}

async function removeChannel(context: Context, name: string): Promise<void> {
  const { removeNoticeChannel } = await import('../../../app/notices/notices.ts');
  await removeNoticeChannel(context, name);
  await context.output.result('notice-removed', { channel: name }, () => `Removed channel ${name}.`);
}

async function sendTest(context: Context, name: string): Promise<void> {
  const { sendProfileTestNotice } = await import('../../../app/notices/notices.ts');
  const { id, attempts } = await sendProfileTestNotice(context, name);
  await context.output.result('notice-test', { channel: name, id, attempts }, () => `Sent through ${name}.`);
}

async function setSecret(context: Context, name: string): Promise<void> {
  const { setProfileNoticeSecret } = await import('../../../app/notices/notices.ts');
  const { readSecret } = await import('../../terminal/secret-input.ts');
  const { kind, place, words } = await setProfileNoticeSecret(context, name, (what) =>
    readSecret(context, `${what} (hidden): `),
  );
  await context.output.result('notice-secret', { channel: name, kind }, () => `The ${words} is stored ${place}.`);
}
