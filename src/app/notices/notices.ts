import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type EntryPlace, removeEntry, writeEntry } from '../../config/named-entries.ts';
import {
  type NoticeChannel,
  noticeChannelSchema,
  noticeDestination,
  noticeKindNames,
} from '../../config/notice-channels.ts';
import { readYaml } from '../../config/yaml-file.ts';
import { TradeAgentError } from '../../errors/errors.ts';
import { forgetNoticeSecret, noticeSecretNeed, noticeSecrets } from '../../secrets/notice-secrets.ts';
import type { App } from '../app.ts';
import { serverOf } from '../server-of.ts';
import { channelNamed, profileNotices, setNoticeSecret, testNotice } from './notice-place.ts';

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

/** What takes more than one; each may be said several times. */
const LISTS: readonly string[] = ['to', 'rules', 'tags'];

/** Where a channel of the profile in use stands in `config.yaml`. */
async function noticeEntry(app: Pick<App, 'home' | 'profile'>, name: string): Promise<EntryPlace> {
  return { home: await app.home(), profile: (await app.profile()).name, section: 'notices', name };
}

/**
 * Writes a channel into the profile in use; where that has a server, that keeps it.
 * @param settings `KEY=VALUE`, each value as YAML has it; `to`, `rules` and `tags` may come again
 * @throws {TradeAgentError} `usage` for a kind there is not, a name that is taken, or what is no setting; `invalid_config`
 *   for settings that its kind doesn't take: then nothing is written
 */
export async function addNotice(
  app: App,
  name: string,
  kind: string,
  settings: readonly string[],
): Promise<{
  readonly kind: NoticeChannel['kind'];
  readonly to: string;
  readonly secret: ReturnType<typeof noticeSecretNeed>;
}> {
  if (!noticeKindNames.includes(kind)) {
    throw new TradeAgentError('usage', `"${kind}" is no kind of channel`, {
      hint: `The kinds are ${noticeKindNames.join(', ')}.`,
    });
  }
  const atServer = (await serverOf(app)) === undefined ? undefined : await import('./at-server.ts');
  const there =
    atServer === undefined
      ? Object.keys((await app.profile()).notices ?? {})
      : (await atServer.listAtServer(app)).map((one) => one.name);
  if (there.includes(name)) {
    throw new TradeAgentError('usage', `there is a channel "${name}" already`, {
      hint: `Choose another name, or remove it first: trade-agent notices remove ${name}`,
    });
  }
  const written = { kind, ...(await settingsOf(settings)) };
  if (atServer === undefined) await writeEntry(await noticeEntry(app, name), written);
  else await atServer.addAtServer(app, name, written);
  const channel = noticeChannelSchema.parse(written);
  return { kind: channel.kind, to: noticeDestination(channel), secret: noticeSecretNeed(channel) };
}

/** @throws {TradeAgentError} `usage` */
async function settingsOf(words: readonly string[]): Promise<Record<string, unknown>> {
  const settings: Record<string, unknown> = {};
  for (const word of words) {
    const [, key = '', text = ''] = /^([a-z_]+)=(.*)$/s.exec(word) ?? [];
    if (key === '') {
      throw new TradeAgentError('usage', `"${word}" is no setting`, {
        hint: 'Write each as KEY=VALUE, as in to=alice@example.com (docs/guide/NOTICES.md has them all).',
      });
    }
    const { content } = await readYaml(text, key);
    const before = settings[key];
    if (LISTS.includes(key) && !Array.isArray(content)) {
      settings[key] = [...(Array.isArray(before) ? before : []), content];
    } else if (before === undefined) {
      settings[key] = content;
    } else {
      throw new TradeAgentError('usage', `${key} is said twice`, { hint: 'Say it once.' });
    }
  }
  return settings;
}

/** Sends a test by a channel of the profile in use, or of its server. @throws {TradeAgentError} `not_found`; `notice_failed` */
export async function testOwnNotice(
  app: App,
  name: string,
): Promise<{ readonly id: string; readonly attempts: number }> {
  if ((await serverOf(app)) !== undefined) return (await import('./at-server.ts')).testAtServer(app, name);
  return await testNotice(app, profileNotices(app), name);
}

/**
 * Keeps the secret of a channel of the profile in use: here, or sealed at its server.
 * @param ask gives the secret; `words` say what it is
 * @throws {TradeAgentError} `not_found`; `usage` where the channel needs none
 */
export async function setOwnSecret(
  app: App,
  name: string,
  ask: (words: string) => Promise<string>,
): Promise<{ readonly kind: string; readonly words: string; readonly place: string }> {
  if ((await serverOf(app)) !== undefined) {
    const { setSecretAtServer } = await import('./at-server.ts');
    return { ...(await setSecretAtServer(app, name, ask)), place: 'at the server, sealed' };
  }
  return { ...(await setNoticeSecret(profileNotices(app), name, ask)), place: 'in the credential store' };
}

/** Takes a channel out of the profile in use, or of its server, and forgets its secret. @throws {TradeAgentError} `not_found`, `credential_store_…` */
export async function removeNotice(app: App, name: string): Promise<void> {
  if ((await serverOf(app)) !== undefined) return (await import('./at-server.ts')).removeAtServer(app, name);
  await channelNamed(profileNotices(app), name);
  await forgetNoticeSecret(await app.store(), name);
  await removeEntry(await noticeEntry(app, name));
}
