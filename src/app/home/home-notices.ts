import {
  formatNoticeDestination,
  type NoticeChannel,
  type NoticeChannelsConfig,
} from '../../config/notice-channels.ts';
import type { PhoneNotice, PhoneNoticeSender } from '../../home/phone/push/phone-notices.ts';
import type { Clock } from '../../machine/clock.ts';
import { deliverNotices } from '../../notify/deliver.ts';
import { type Notice, NoticeFailedError } from '../../notify/notice.ts';
import { createChannelSender } from '../../notify/open-channel.ts';
import type { ChannelDeps } from '../../notify/sender.ts';
import type { CredentialStore } from '../../secrets/credential-store.ts';
import { openFileStore } from '../../secrets/file/file-store.ts';
import { loadNoticeSecrets } from '../../secrets/notice-secrets.ts';
import { type NoticeChannelSource, startNoticesTimeLimit } from '../notices/notice-place.ts';
import { getNoticeSecretState, type ListedNoticeChannel } from '../notices/notices.ts';

/** The command that manages a home's notice channels, for hints. */
export const HOME_NOTICES_COMMAND = 'trade-agent home notices';

export function homeNoticeChannels(folder: string, channels: NoticeChannelsConfig): NoticeChannelSource {
  return {
    channels: async () => channels,
    store: async () => openHomeSecrets(folder),
    add: 'Add it under "notices" in home.yaml. See docs/guide/NOTICES.md.',
    command: HOME_NOTICES_COMMAND,
    testText: async (name) =>
      `This is a test. "${name}" will notify you of approval requests and fills when push notifications don't reach your phone.`,
    testData: async () => ({}),
  };
}

type HomeChannel = Pick<ListedNoticeChannel, 'name' | 'kind' | 'enabled' | 'to' | 'secret'>;

/** Lists the home's notice channels, without their secrets. @throws {TradeAgentError} `credential_store_…` */
export async function listHomeNoticeChannels(place: NoticeChannelSource): Promise<readonly HomeChannel[]> {
  const secretOf = await loadNoticeSecrets(await place.store());
  return Object.entries(await place.channels()).map(([name, channel]) => ({
    name,
    kind: channel.kind,
    // A channel that receives neither approvals nor fills counts as disabled.
    enabled: channel.enabled && (channel.approvals || channel.fills),
    to: formatNoticeDestination(channel),
    secret: getNoticeSecretState(channel, secretOf(name, channel) !== undefined),
  }));
}

/** Opens the store of the channels' secrets, a file in the home's folder, because a service has no keychain. */
export function openHomeSecrets(folder: string): CredentialStore {
  return openFileStore({ folder, profile: 'home' });
}

/**
 * Options for notices about approval requests, fills and access changes. Only the home's owner is notified, through
 * the channels in `home.yaml`.
 */
interface PhoneNoticeSenderOptions {
  readonly channels: NoticeChannelsConfig;
  /** Returns the owner's user name, or undefined if the home has no users. */
  readonly owner: () => Promise<string | undefined>;
  readonly secrets: CredentialStore;
  readonly channelDeps: Omit<ChannelDeps, 'now'>;
  readonly clock: Clock;
  /** Receives the name of the failed channel and the cause, but never the notice's text. */
  readonly onError: (message: string) => void;
}

export function createPhoneNoticeSender(options: PhoneNoticeSenderOptions): PhoneNoticeSender {
  const { channels, owner, clock, onError } = options;
  return {
    async tell(told, signal) {
      const used = Object.entries(channels).filter(([, channel]) => channel.enabled && isWanted(told, channel));
      if (used.length === 0 || told.user !== (await owner())) return;
      const secretOf = await loadNoticeSecrets(options.secrets);
      const notice = toNotice(told);
      const limit = startNoticesTimeLimit(clock, signal);
      try {
        await Promise.all(
          used.map(([name, channel]) =>
            sendNotice(name, channel, secretOf(name, channel), notice, options, limit.signal).catch((error: Error) =>
              onError(`notice ${name}: ${error.message}`),
            ),
          ),
        );
      } finally {
        limit.end();
      }
    },
  };
}

/** Sends a notice through one channel. @throws {NoticeFailedError} */
async function sendNotice(
  name: string,
  channel: NoticeChannel,
  secret: string | undefined,
  notice: Notice,
  { channelDeps, clock }: Pick<PhoneNoticeSenderOptions, 'channelDeps' | 'clock'>,
  signal: AbortSignal,
): Promise<void> {
  const open = createChannelSender(name, channel, secret, { ...channelDeps, now: () => clock.now() });
  const [delivery] = await deliverNotices(open, [notice], { clock, signal, attemptMs: channel.timeout * 1000 });
  const failure = delivery?.failure;
  if (failure !== undefined) throw new NoticeFailedError(failure.code, failure.message);
}

/** Returns whether a channel receives a notice. All channels receive access, account and unexpected-order notices. */
function isWanted(told: PhoneNotice, { approvals, fills }: Pick<NoticeChannel, 'approvals' | 'fills'>): boolean {
  if ('access' in told || 'account' in told || 'order' in told) return true;
  return 'fill' in told ? fills : approvals;
}

function toNotice(told: PhoneNotice): Notice {
  const { id, title, body, at } = told;
  const said = { id, title, body, at };
  if ('fill' in told) return { ...said, type: 'fill', severity: 'info', data: { fill: told.fill } };
  if ('access' in told) return { ...said, type: 'access', severity: 'warning', data: { access: told.access } };
  if ('account' in told) return { ...said, type: 'account', severity: 'critical', data: { account: told.account } };
  if ('order' in told) return { ...said, type: 'order', severity: 'critical', data: { order: told.order } };
  return { ...said, type: 'approval', severity: 'warning', data: { approval: told.approval } };
}
