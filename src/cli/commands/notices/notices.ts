import type { Command } from 'commander';
import type { NoticeChannel, NoticesConfig } from '../../../config/notice-channels.ts';
import { TradeAgentError } from '../../../trading/errors.ts';
import { type Cli, runCommand } from '../../cli.ts';
import type { Context } from '../../context.ts';
import { examples, exitCodes } from '../../options/help.ts';

export function addNoticesCommand(program: Command, cli: Cli): void {
  const notices = program
    .command('notices')
    .summary('who is told what a check found')
    .description(
      'Who is told what a check found, and how: the channels under "notices" of the profile in config.yaml (desktop, email, slack, webhook, ntfy). Lists them, tries one out, and keeps their secrets.',
    )
    .addHelpText(
      'after',
      examples([
        ['trade-agent notices', 'the channels, and whether they have their secrets'],
        ['trade-agent notices set-secret mail', 'the password, asked for without showing it'],
        ['trade-agent notices test mail', 'sends a test now'],
      ]) + exitCodes([11]),
    );
  notices
    .command('list', { isDefault: true })
    .description('list the channels of the profile')
    .addHelpText(
      'after',
      examples([['trade-agent notices list --output json', 'for scripts']]) + exitCodes([11]),
    )
    .action((_options, command: Command) => runCommand(cli, command, listNotices));
  notices
    .command('test')
    .description('send a test notice by one channel now; exit 1 when it could not be sent')
    .argument('<name>', 'one of those that "notices list" shows')
    .addHelpText('after', examples([['trade-agent notices test mail', 'sends one']]) + exitCodes([11]))
    .action((name: string, _options, command: Command) =>
      runCommand(cli, command, (context) => testNotice(context, name)),
    );
  notices
    .command('set-secret')
    .description(
      "Keeps a channel's secret in the credential store: an SMTP password, a webhook's signing secret, a Slack address, an ntfy token. It is asked for, or read from standard input; never an argument.",
    )
    .argument('<name>', 'one of those that "notices list" shows')
    .addHelpText(
      'after',
      examples([
        ['trade-agent notices set-secret mail', 'asks for it, without showing it'],
        ['printf whsec_%s "$(openssl rand -base64 32)" | trade-agent notices set-secret hook', 'a new one'],
      ]) + exitCodes([11]),
    )
    .action((name: string, _options, command: Command) =>
      runCommand(cli, command, (context) => setNoticeSecret(context, name)),
    );
}

async function listNotices(context: Context): Promise<void> {
  const [{ noticeDestination }, { noticeSecretNeed, noticeSecrets }] = await Promise.all([
    import('../../../config/notice-channels.ts'),
    import('../../../secrets/notice-secrets.ts'),
  ]);
  const { notices = {} } = await context.profile();
  const names = Object.keys(notices);
  const secretOf = names.length === 0 ? () => undefined : await noticeSecrets(await context.store());
  const waiting = names.length === 0 ? new Map<string, number>() : await waitingNotices(context);
  const channels = Object.entries(notices).map(([name, channel]) => ({
    name,
    kind: channel.kind,
    enabled: channel.enabled,
    to: noticeDestination(channel),
    min_severity: channel.min_severity,
    rules: channel.rules ?? null,
    secret: secretState(noticeSecretNeed(channel), secretOf(name, channel) !== undefined),
    waiting: waiting.get(name) ?? 0,
  }));
  await context.output.result('notices', { channels }, async () => {
    if (channels.length === 0)
      return 'No channels: add some under "notices" of the profile in config.yaml (docs/NOTICES.md).';
    const [{ table }, { safeLine }] = await Promise.all([
      import('../../text/table.ts'),
      import('../../../net/safe-text.ts'),
    ]);
    return table<(typeof channels)[number]>(
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

function secretState(
  need: 'required' | 'optional' | 'none',
  kept: boolean,
): 'kept' | 'missing' | 'not_needed' {
  if (kept) return 'kept';
  return need === 'required' ? 'missing' : 'not_needed';
}

async function waitingNotices(context: Context): Promise<ReadonlyMap<string, number>> {
  const [{ existsSync }, { join }, { databaseKey }, { openCheckStore }] = await Promise.all([
    import('node:fs'),
    import('node:path'),
    import('../../../secrets/database-key.ts'),
    import('../../../store/sqlite/check-store.ts'),
  ]);
  const file = join((await context.home()).data, `checks.${(await context.profile()).name}.db`);
  if (!existsSync(file)) return new Map();
  const store = openCheckStore(file, (await databaseKey(await context.store())).toString('hex'));
  try {
    return await store.waitingNotices();
  } finally {
    store.close();
  }
}

async function testNotice(context: Context, name: string): Promise<void> {
  const [{ noticeSecrets }, { openChannel }, { deliver }, { shortId }] = await Promise.all([
    import('../../../secrets/notice-secrets.ts'),
    import('../../../notify/open-channel.ts'),
    import('../../../notify/deliver.ts'),
    import('../../../agent/short-id.ts'),
  ]);
  const profile = await context.profile();
  const channel = channelNamed(profile.notices ?? {}, name);
  const secret = (await noticeSecrets(await context.store()))(name, channel);
  const { clock, env, signal } = context;
  const now = () => clock.now();
  const send = openChannel(name, channel, secret, {
    fetch: context.discreetFetch,
    env,
    platform: process.platform,
    now,
  });
  const notice = {
    id: shortId('nt_test_', 16),
    type: 'test',
    severity: 'info',
    title: 'Test from trade-agent',
    body: `This is how "${name}" of profile "${profile.name}" tells you of findings. Nothing happened.`,
    at: new Date(now()).toISOString(),
    data: { profile: profile.name },
  } as const;
  const [delivery] = await deliver(send, [notice], { clock, signal, attemptMs: channel.timeout * 1000 });
  signal.throwIfAborted();
  if (delivery?.failure !== undefined) {
    throw new TradeAgentError('notice_failed', `${name}: ${delivery.failure.message}`, {
      hint:
        delivery.failure.code === 'not_authorized'
          ? `Give it the right secret: "trade-agent notices set-secret ${name}".`
          : 'See docs/NOTICES.md for what each kind of channel needs.',
      details: { channel: name, code: delivery.failure.code },
    });
  }
  await context.output.result(
    'notice-test',
    { channel: name, id: notice.id, attempts: delivery?.attempts ?? 0 },
    () => `Sent by ${name}.`,
  );
}

async function setNoticeSecret(context: Context, name: string): Promise<void> {
  const [{ noticeSecretNeed, noticeSecretWords, storeNoticeSecret }, { readSecret }] = await Promise.all([
    import('../../../secrets/notice-secrets.ts'),
    import('../../terminal/secret-input.ts'),
  ]);
  const channel = channelNamed((await context.profile()).notices ?? {}, name);
  if (noticeSecretNeed(channel) === 'none') {
    throw new TradeAgentError('usage', `${name} needs no secret`, {
      hint: channel.kind === 'email' ? 'Set its "user" first, if the server wants one.' : 'Just use it.',
    });
  }
  const store = await context.store();
  await store.probe();
  const secret = await readSecret(context, `${noticeSecretWords(channel)} (not shown): `);
  await storeNoticeSecret(store, name, channel, secret);
  await context.output.result(
    'notice-secret',
    { channel: name, kind: channel.kind },
    () => `The ${noticeSecretWords(channel)} is kept in the credential store.`,
  );
}

/** @throws {TradeAgentError} `not_found` */
function channelNamed(notices: NoticesConfig, name: string): NoticeChannel {
  const channel = Object.hasOwn(notices, name) ? notices[name] : undefined;
  if (channel !== undefined) return channel;
  const names = Object.keys(notices);
  throw new TradeAgentError('not_found', `there is no channel "${name}"`, {
    hint:
      names.length === 0
        ? 'Add it under "notices" of the profile in config.yaml; docs/NOTICES.md shows how.'
        : `The channels are ${names.join(', ')}.`,
  });
}
