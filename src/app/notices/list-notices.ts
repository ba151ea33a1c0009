import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type NoticeChannel, noticeDestination } from '../../config/notice-channels.ts';
import { noticeSecretNeed, noticeSecrets } from '../../secrets/notice-secrets.ts';
import type { App } from '../app.ts';
import { serverOf } from '../server/require-here.ts';

export interface ListedChannel extends Pick<NoticeChannel, 'kind' | 'enabled' | 'min_severity'> {
  readonly name: string;
  readonly to: string;
  /** Null: findings of every rule. */
  readonly rules: readonly string[] | null;
  readonly secret: 'kept' | 'missing' | 'not_needed';
  /** How many notices could not be sent yet. */
  readonly waiting: number;
}

/** The channels of the profile in use, or of its server. @throws {TradeAgentError} `credential_store_…` */
export async function listNotices(app: App): Promise<readonly ListedChannel[]> {
  if ((await serverOf(app)) !== undefined) return (await import('./at-server.ts')).listAtServer(app);
  const { notices = {} } = await app.profile();
  const channels = Object.entries(notices);
  if (channels.length === 0) return [];
  const secretOf = await noticeSecrets(await app.store());
  const waiting = await waitingNotices(app);
  return channels.map(([name, channel]) => ({
    name,
    kind: channel.kind,
    enabled: channel.enabled,
    to: noticeDestination(channel),
    min_severity: channel.min_severity,
    rules: channel.rules ?? null,
    secret: secretState(channel, secretOf(name, channel) !== undefined),
    waiting: waiting.get(name) ?? 0,
  }));
}

/** Whether a channel has the secret that it needs. */
export function secretState(channel: NoticeChannel, kept: boolean): ListedChannel['secret'] {
  if (kept) return 'kept';
  return noticeSecretNeed(channel) === 'required' ? 'missing' : 'not_needed';
}

async function waitingNotices(app: App): Promise<ReadonlyMap<string, number>> {
  const file = join((await app.home()).data, `checks.${(await app.profile()).name}.db`);
  if (!existsSync(file)) return new Map();
  const [{ databaseKey }, { openCheckStore }] = await Promise.all([
    import('../../secrets/database-key.ts'),
    import('../../store/sqlite/check-store.ts'),
  ]);
  const store = openCheckStore(file, (await databaseKey(await app.store())).toString('hex'));
  try {
    return await store.waitingNotices();
  } finally {
    store.close();
  }
}
