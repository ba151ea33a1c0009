import { exits } from '../../../app/exit-codes.ts';
import type { ListedChannel } from '../../../app/notices/notices.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import type { Context } from '../../context/context.ts';

export function addNoticesCommand(program: CliCommand): void {
  const notices = program
    .command('notices')
    .summary('who is told what a check found')
    .description(
      'Who is told what a check found, and how: the channels under "notices" of the profile in config.yaml, or those that its server keeps (desktop, email, slack, webhook, ntfy). Lists them, tries one out, and keeps their secrets.',
    )
    .examples(
      ['trade-agent notices', 'the channels, and whether they have their secrets'],
      ['trade-agent notices add push ntfy topic=alice', 'tells by ntfy from now on'],
      ['trade-agent notices set-secret mail', 'the password, asked for without showing it'],
      ['trade-agent notices test mail', 'sends a test now'],
    )
    .exits(exits.credentialStore);
  notices
    .command('list', { isDefault: true })
    .description('list the channels of the profile')
    .examples(['trade-agent notices list --output json', 'for scripts'])
    .exits(exits.credentialStore)
    .runs(printChannels);
  notices
    .command('add')
    .description(
      'Adds a channel to the profile: desktop, email, slack, webhook or ntfy, with its settings as docs/guide/NOTICES.md has them. Its secret is never one of them: "notices set-secret" asks for it.',
    )
    .argument('<name>', 'what you call it')
    .argument('<kind>', 'desktop, email, slack, webhook or ntfy')
    .argument('[settings...]', 'KEY=VALUE; to, rules and tags may come again')
    .examples(
      ['trade-agent notices add desk desktop', 'on this screen'],
      [
        'trade-agent notices add mail email host=smtp.example.com user=alice from=agent@example.com to=alice@example.com min_severity=critical',
        'by mail, only what is critical',
      ],
    )
    .runs(addChannel);
  notices
    .command('remove')
    .description('take a channel out of the profile, and forget its secret')
    .argument('<name>', 'one of those that "notices list" shows')
    .examples(['trade-agent notices remove mail', 'it is told nothing any more'])
    .exits(exits.credentialStore)
    .runs(removeChannel);
  notices
    .command('test')
    .description('send a test notice by one channel now; exit 1 when it could not be sent')
    .argument('<name>', 'one of those that "notices list" shows')
    .examples(['trade-agent notices test mail', 'sends one'])
    .exits(exits.credentialStore)
    .runs(sendTest);
  notices
    .command('set-secret')
    .description(
      "Keeps a channel's secret in the credential store: an SMTP password, a webhook's signing secret, a Slack address, an ntfy token. It is asked for, or read from standard input; never an argument.",
    )
    .argument('<name>', 'one of those that "notices list" shows')
    .examples(
      ['trade-agent notices set-secret mail', 'asks for it, without showing it'],
      ['printf whsec_%s "$(openssl rand -base64 32)" | trade-agent notices set-secret hook', 'a new one'],
    )
    .exits(exits.credentialStore)
    .runs(setSecret);
}

async function printChannels(context: Context): Promise<void> {
  const { listNotices } = await import('../../../app/notices/notices.ts');
  const channels = await listNotices(context);
  await context.output.result('notices', { channels }, async () => {
    if (channels.length === 0)
      return 'No channels: "trade-agent notices add NAME KIND" adds one (docs/guide/NOTICES.md).';
    const { table } = await import('../../text/table.ts');
    const { safeLine } = await import('../../../text/shown-text.ts');
    return table<ListedChannel>(
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

async function addChannel(
  context: Context,
  name: string,
  kind: string,
  settings: readonly string[],
): Promise<void> {
  const { addNotice } = await import('../../../app/notices/notices.ts');
  const { safeLine } = await import('../../../text/shown-text.ts');
  const added = await addNotice(context, name, kind, settings);
  await context.output.result('notice-added', { channel: name, ...added }, () =>
    [
      `${name} tells ${safeLine(added.to)}.`,
      added.secret === 'none'
        ? `Try it: trade-agent notices test ${name}`
        : `${added.secret === 'required' ? 'It needs a secret' : 'If it wants a secret'}: trade-agent notices set-secret ${name}`,
    ].join('\n'),
  );
}

async function removeChannel(context: Context, name: string): Promise<void> {
  const { removeNotice } = await import('../../../app/notices/notices.ts');
  await removeNotice(context, name);
  await context.output.result('notice-removed', { channel: name }, () => `${name} is told nothing any more.`);
}

async function sendTest(context: Context, name: string): Promise<void> {
  const { testOwnNotice } = await import('../../../app/notices/notices.ts');
  const { id, attempts } = await testOwnNotice(context, name);
  await context.output.result('notice-test', { channel: name, id, attempts }, () => `Sent by ${name}.`);
}

async function setSecret(context: Context, name: string): Promise<void> {
  const { setOwnSecret } = await import('../../../app/notices/notices.ts');
  const { readSecret } = await import('../../terminal/secret-input.ts');
  const { kind, place, words } = await setOwnSecret(context, name, (what) =>
    readSecret(context, `${what} (not shown): `),
  );
  await context.output.result(
    'notice-secret',
    { channel: name, kind },
    () => `The ${words} is kept ${place}.`,
  );
}
