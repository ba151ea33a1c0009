import { createShortId } from '../../agent/short-id.ts';
import type { NoticeChannel, NoticeChannelsConfig } from '../../config/notice-channels.ts';
import { TradeAgentError } from '../../errors/errors.ts';
import type { ResolveHost } from '../../net/outbound-client.ts';
import { startClockTimeLimit } from '../../net/time-limit.ts';
import { NoticeFailedError } from '../../notify/notice.ts';
import type { CredentialStore } from '../../secrets/credential-store.ts';
import {
  loadNoticeSecrets,
  noticeSecretLabel,
  noticeSecretRequirement,
  storeNoticeSecret,
} from '../../secrets/notice-secrets.ts';
import { defined } from '../../values/defined.ts';
import type { App } from '../app.ts';

/** Time limit in milliseconds for all notices of a check, so that a slow mail server can't delay cron's next check. */
const ALL_NOTICES_TIMEOUT_MS = 30_000;

export function startNoticesTimeLimit(clock: App['clock'], signal: AbortSignal) {
  return startClockTimeLimit(
    clock,
    ALL_NOTICES_TIMEOUT_MS,
    signal,
    () =>
      new NoticeFailedError(
        'timeout',
        `not sent within ${ALL_NOTICES_TIMEOUT_MS / 1000} s, the time limit for all notices together`,
      ),
  );
}

/** The channels of a profile or a home, with access to their secrets. */
export interface NoticeChannelSource {
  channels(): Promise<NoticeChannelsConfig>;
  /** Opens the store of the channels' secrets. @throws {TradeAgentError} `credential_store_…` */
  store(): Promise<CredentialStore>;
  readonly add: string;
  /** The command that manages the channels, such as `trade-agent notices`. */
  readonly command: string;
  testText(name: string): Promise<string>;
  testData(): Promise<Readonly<Record<string, unknown>>>;
}

export function profileNoticeChannels(app: Pick<App, 'writtenProfile' | 'store'>): NoticeChannelSource {
  const name = async () => (await app.writtenProfile()).name;
  return {
    channels: async () => (await app.writtenProfile()).notices ?? {},
    store: () => app.store(),
    add: 'Add one with "trade-agent notices add NAME KIND".',
    command: 'trade-agent notices',
    testText: async (channel) =>
      `This is a test. "${channel}" of profile "${await name()}" will notify you of findings like this.`,
    testData: async () => ({ profile: await name() }),
  };
}

/** Finds a channel by name. @throws {TradeAgentError} `not_found` */
export async function findNoticeChannel(place: NoticeChannelSource, name: string): Promise<NoticeChannel> {
  const notices = await place.channels();
  const channel = Object.hasOwn(notices, name) ? notices[name] : undefined;
  if (channel !== undefined) return channel;
  const names = Object.keys(notices);
  throw new TradeAgentError('not_found', `there is no channel "${name}"`, {
    hint: names.length === 0 ? place.add : `Channels: ${names.join(', ')}.`,
  });
}

/**
 * Stores a channel's secret.
 * @param ask asks for the secret; called only if the store works. `words` describes the secret, such as `password of …`
 * @throws {TradeAgentError} `not_found`, `usage` if the channel needs no secret, `credential_store_…`, and any error
 *   from `ask`
 */
export async function setNoticeChannelSecret(
  place: NoticeChannelSource,
  name: string,
  ask: (words: string) => Promise<string>,
): Promise<{ readonly kind: NoticeChannel['kind']; readonly words: string }> {
  const channel = await findNoticeChannel(place, name);
  if (noticeSecretRequirement(channel) === 'none') {
    throw new TradeAgentError('usage', `${name} needs no secret`, {
      hint:
        channel.kind === 'email'
          ? 'If the server requires a user name, set "user" first.'
          : 'You can use the channel without a secret.',
    });
  }
  const store = await place.store();
  await store.probe();
  const words = noticeSecretLabel(channel);
  await storeNoticeSecret(store, name, channel, await ask(words));
  return { kind: channel.kind, words };
}

/** Sends a test notice. @throws {TradeAgentError} `not_found`; `notice_failed` if it could not be sent */
export async function sendTestNotice(
  app: Pick<App, 'clock' | 'redactedFetch' | 'env' | 'signal'>,
  place: NoticeChannelSource,
  name: string,
  resolveMail?: ResolveHost,
): Promise<{ readonly id: string; readonly attempts: number }> {
  const [{ deliverNotices: deliver }, { createChannelSender: openChannel }] = await Promise.all([
    import('../../notify/deliver.ts'),
    import('../../notify/open-channel.ts'),
  ]);
  const { clock, env, signal } = app;
  const channel = await findNoticeChannel(place, name);
  const secret = (await loadNoticeSecrets(await place.store()))(name, channel);
  const now = () => clock.now();
  const send = openChannel(name, channel, secret, {
    fetch: app.redactedFetch,
    env,
    platform: process.platform,
    now,
    command: place.command,
    ...defined({ resolveMail }),
  });
  const notice = {
    id: createShortId('nt_test_', 16),
    type: 'test',
    severity: 'info',
    title: 'Test from trade-agent',
    body: await place.testText(name),
    at: new Date(now()).toISOString(),
    data: await place.testData(),
  } as const;
  const [delivery] = await deliver(send, [notice], { clock, signal, attemptMs: channel.timeout * 1000 });
  signal.throwIfAborted();
  if (delivery?.failure !== undefined) {
    throw new TradeAgentError('notice_failed', `${name}: ${delivery.failure.message}`, {
      hint:
        delivery.failure.code === 'not_authorized'
          ? `Set the correct secret with "${place.command} set-secret ${name}".`
          : 'See docs/guide/NOTICES.md for the settings of each kind of channel.',
      details: { channel: name, code: delivery.failure.code },
    });
  }
  return { id: notice.id, attempts: delivery?.attempts ?? 0 };
}
