import { type NoticesConfig, noticeDestination } from '../../config/notice-channels.ts';
import { noticeSecrets } from '../../secrets/notice-secrets.ts';
import { type ListedChannel, secretState } from '../notices/list-notices.ts';
import type { NoticePlace } from '../notices/notice-place.ts';
import { homeSecrets } from './phone-notices.ts';

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

export type HomeChannel = Pick<ListedChannel, 'name' | 'kind' | 'enabled' | 'to' | 'secret'>;

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
