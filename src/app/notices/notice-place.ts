import { shortId } from '../../agent/short-id.ts';
import type { NoticeChannel, NoticesConfig } from '../../config/notice-channels.ts';
import { TradeAgentError } from '../../errors/errors.ts';
import type { ResolveHost } from '../../net/resolve-host.ts';
import { clockLimit } from '../../net/time-limit.ts';
import { NoticeFailure } from '../../notify/notice.ts';
import type { CredentialStore } from '../../secrets/credential-store.ts';
import {
  noticeSecretNeed,
  noticeSecrets,
  noticeSecretWords,
  storeNoticeSecret,
} from '../../secrets/notice-secrets.ts';
import { defined } from '../../values/defined.ts';
import type { App } from '../app.ts';

/** For all notices of one occasion together: cron's next check must not wait for a mail server. */
const ALL_MS = 30_000;

/** Limits sending to {@link ALL_MS}. */
export function noticesLimit(clock: App['clock'], signal: AbortSignal) {
  return clockLimit(
    clock,
    ALL_MS,
    signal,
    () => new NoticeFailure('timeout', `the ${ALL_MS / 1000} s for all notices were over`),
  );
}

/** The channels of a profile or a home, and their secrets. */
export interface NoticePlace {
  channels(): Promise<NoticesConfig>;
  /** @throws {TradeAgentError} `credential_store_…` */
  store(): Promise<CredentialStore>;
  /** A sentence: how a person adds a channel. */
  readonly add: string;
  /** The command that stores a secret: `trade-agent notices`. */
  readonly command: string;
  /** The text of a test notice. */
  testWords(name: string): Promise<string>;
  /** The data of a test notice. */
  testFacts(): Promise<Readonly<Record<string, unknown>>>;
}

export function profileNotices(app: Pick<App, 'profile' | 'store'>): NoticePlace {
  const name = async () => (await app.profile()).name;
  return {
    channels: async () => (await app.profile()).notices ?? {},
    store: () => app.store(),
    add: 'Add one with "trade-agent notices add NAME KIND".',
    command: 'trade-agent notices',
    testWords: async (channel) =>
      `This is how "${channel}" of profile "${await name()}" tells you of findings. Nothing happened.`,
    testFacts: async () => ({ profile: await name() }),
  };
}

/** @throws {TradeAgentError} `not_found` */
export async function channelNamed(place: NoticePlace, name: string): Promise<NoticeChannel> {
  const notices = await place.channels();
  const channel = Object.hasOwn(notices, name) ? notices[name] : undefined;
  if (channel !== undefined) return channel;
  const names = Object.keys(notices);
  throw new TradeAgentError('not_found', `there is no channel "${name}"`, {
    hint: names.length === 0 ? place.add : `The channels are ${names.join(', ')}.`,
  });
}

/**
 * Stores a channel's secret.
 * @param ask gives the secret; asked once the store is known to work. `words` say what it is: `password of …`
 * @throws {TradeAgentError} `not_found`, `usage` where the channel needs none, `credential_store_…`, and what `ask`
 *   throws
 */
export async function setNoticeSecret(
  place: NoticePlace,
  name: string,
  ask: (words: string) => Promise<string>,
): Promise<{ readonly kind: NoticeChannel['kind']; readonly words: string }> {
  const channel = await channelNamed(place, name);
  if (noticeSecretNeed(channel) === 'none') {
    throw new TradeAgentError('usage', `${name} needs no secret`, {
      hint: channel.kind === 'email' ? 'Set its "user" first, if the server wants one.' : 'Just use it.',
    });
  }
  const store = await place.store();
  await store.probe();
  const words = noticeSecretWords(channel);
  await storeNoticeSecret(store, name, channel, await ask(words));
  return { kind: channel.kind, words };
}

/**
 * @param resolveMail as {@link ChannelSurroundings} has it
 * @throws {TradeAgentError} `not_found`; `notice_failed` where it could not be sent
 */
export async function testNotice(
  app: Pick<App, 'clock' | 'discreetFetch' | 'env' | 'signal'>,
  place: NoticePlace,
  name: string,
  resolveMail?: ResolveHost,
): Promise<{ readonly id: string; readonly attempts: number }> {
  const [{ deliver }, { openChannel }] = await Promise.all([
    import('../../notify/deliver.ts'),
    import('../../notify/open-channel.ts'),
  ]);
  const { clock, env, signal } = app;
  const channel = await channelNamed(place, name);
  const secret = (await noticeSecrets(await place.store()))(name, channel);
  const now = () => clock.now();
  const send = openChannel(name, channel, secret, {
    fetch: app.discreetFetch,
    env,
    platform: process.platform,
    now,
    command: place.command,
    ...defined({ resolveMail }),
  });
  const notice = {
    id: shortId('nt_test_', 16),
    type: 'test',
    severity: 'info',
    title: 'Test from trade-agent',
    body: await place.testWords(name),
    at: new Date(now()).toISOString(),
    data: await place.testFacts(),
  } as const;
  const [delivery] = await deliver(send, [notice], { clock, signal, attemptMs: channel.timeout * 1000 });
  signal.throwIfAborted();
  if (delivery?.failure !== undefined) {
    throw new TradeAgentError('notice_failed', `${name}: ${delivery.failure.message}`, {
      hint:
        delivery.failure.code === 'not_authorized'
          ? `Give it the right secret: "${place.command} set-secret ${name}".`
          : 'See docs/guide/NOTICES.md for what each kind of channel needs.',
      details: { channel: name, code: delivery.failure.code },
    });
  }
  return { id: notice.id, attempts: delivery?.attempts ?? 0 };
}
