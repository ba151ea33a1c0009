import { type NoticeChannel, type NoticesConfig, noticeDestination } from '../../config/notice-channels.ts';
import type { PhoneNotice, PhoneNotices } from '../../home/phone/push/phone-notices.ts';
import type { Clock } from '../../machine/clock.ts';
import { deliver } from '../../notify/deliver.ts';
import { type Notice, NoticeFailure } from '../../notify/notice.ts';
import { openChannel } from '../../notify/open-channel.ts';
import type { ChannelSurroundings } from '../../notify/sender.ts';
import type { CredentialStore } from '../../secrets/credential-store.ts';
import { openFileStore } from '../../secrets/file/file-store.ts';
import { noticeSecrets } from '../../secrets/notice-secrets.ts';
import type { NoticePlace } from '../notices/notice-place.ts';
import { type ListedChannel, secretState } from '../notices/notices.ts';

/** The command that keeps the secrets of a home's channels. */
export const HOME_NOTICES = 'trade-agent home notices';

/** The channels of a home, as its home.yaml has them. */
export function homeNotices(folder: string, channels: NoticesConfig): NoticePlace {
  return {
    channels: async () => channels,
    store: async () => homeSecrets(folder),
    add: 'Add it under "notices" in home.yaml; docs/guide/NOTICES.md shows how.',
    command: HOME_NOTICES,
    testWords: async (name) =>
      `This is how "${name}" tells you of requests that wait for your phone, and of what was filled, where no push reaches it. Nothing happened.`,
    testFacts: async () => ({}),
  };
}

type HomeChannel = Pick<ListedChannel, 'name' | 'kind' | 'enabled' | 'to' | 'secret'>;

/** @throws {TradeAgentError} `credential_store_…` */
export async function listHomeNotices(place: NoticePlace): Promise<readonly HomeChannel[]> {
  const secretOf = await noticeSecrets(await place.store());
  return Object.entries(await place.channels()).map(([name, channel]) => ({
    name,
    kind: channel.kind,
    // Of what these tell there is nothing else.
    enabled: channel.enabled && (channel.approvals || channel.fills),
    to: noticeDestination(channel),
    secret: secretState(channel, secretOf(name, channel) !== undefined),
  }));
}

/** All channels together: what is told later is told in vain. */
const ALL_MS = 30_000;

/** The channels' secrets of a home, in its own folder: a home that serves has no keychain that it could open. */
export function homeSecrets(folder: string): CredentialStore {
  return openFileStore({ folder, profile: 'home' });
}

/**
 * Tells a home's owner of a request, of what was filled, or of what happened to how they get in, by the channels of `home.yaml`: by ntfy, e-mail, signed webhook, whatever a profile
 * can have. Whoever else lives there is told nothing: the channels are the owner's.
 */
export function phoneNotices(options: {
  readonly channels: NoticesConfig;
  /** Their user name; undefined while there is nobody. */
  readonly owner: () => string | undefined;
  readonly secrets: CredentialStore;
  readonly surroundings: Omit<ChannelSurroundings, 'now'>;
  readonly clock: Clock;
  /** Told what could not be sent, by which channel; nothing of what it said. */
  readonly onError: (message: string) => void;
}): PhoneNotices {
  const { channels, owner, clock, onError } = options;
  return {
    async tell(told, signal) {
      const used = Object.entries(channels).filter(
        ([, channel]) => channel.enabled && isWanted(told, channel),
      );
      if (used.length === 0 || told.user !== owner()) return;
      const secretOf = await noticeSecrets(options.secrets);
      const notice = noticeOf(told);
      const byTime = timeLimit(clock, signal);
      try {
        await Promise.all(
          used.map(([name, channel]) =>
            send(name, channel, secretOf(name, channel), notice, { ...options, signal: byTime.signal }).catch(
              (error: Error) => onError(`notice ${name}: ${error.message}`),
            ),
          ),
        );
      } finally {
        byTime.over();
      }
    },
  };
}

/** @throws {NoticeFailure} */
async function send(
  name: string,
  channel: NoticeChannel,
  secret: string | undefined,
  notice: Notice,
  {
    surroundings,
    clock,
    signal,
  }: { surroundings: Omit<ChannelSurroundings, 'now'>; clock: Clock; signal: AbortSignal },
): Promise<void> {
  const open = openChannel(name, channel, secret, { ...surroundings, now: () => clock.now() });
  const [delivery] = await deliver(open, [notice], { clock, signal, attemptMs: channel.timeout * 1000 });
  const failure = delivery?.failure;
  if (failure !== undefined) throw new NoticeFailure(failure.code, failure.message);
}

/** Who gets in, who does no more, and orders that nobody expected are told by each of them. */
function isWanted(
  told: PhoneNotice,
  { approvals, fills }: Pick<NoticeChannel, 'approvals' | 'fills'>,
): boolean {
  if ('access' in told || 'account' in told || 'order' in told) return true;
  return 'fill' in told ? fills : approvals;
}

function noticeOf(told: PhoneNotice): Notice {
  const { id, title, body, at } = told;
  const said = { id, title, body, at };
  if ('fill' in told) return { ...said, type: 'fill', severity: 'info', data: { fill: told.fill } };
  if ('access' in told)
    return { ...said, type: 'access', severity: 'warning', data: { access: told.access } };
  if ('account' in told)
    return { ...said, type: 'account', severity: 'critical', data: { account: told.account } };
  if ('order' in told) return { ...said, type: 'order', severity: 'critical', data: { order: told.order } };
  return { ...said, type: 'approval', severity: 'warning', data: { approval: told.approval } };
}

function timeLimit(clock: Clock, signal: AbortSignal): { readonly signal: AbortSignal; over(): void } {
  const late = new AbortController();
  const done = new AbortController();
  clock.sleep(ALL_MS, done.signal).then(
    () => late.abort(new NoticeFailure('timeout', `the ${ALL_MS / 1000} s for all notices were over`)),
    () => undefined,
  );
  return { signal: AbortSignal.any([signal, late.signal]), over: () => done.abort() };
}
