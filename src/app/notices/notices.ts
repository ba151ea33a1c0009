import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type EntryLocation, removeProfileEntry, writeProfileEntry } from '../../config/named-entries.ts';
import {
  formatNoticeDestination,
  type NoticeChannel,
  noticeChannelKindNames,
  noticeChannelSchema,
} from '../../config/notice-channels.ts';
import { parseYamlDocument } from '../../config/yaml-file.ts';
import { TradeAgentError } from '../../errors/errors.ts';
import { deleteNoticeSecret, loadNoticeSecrets, noticeSecretRequirement } from '../../secrets/notice-secrets.ts';
import type { App } from '../app.ts';
import { profileServerUrl } from '../profile-server.ts';
import { findNoticeChannel, profileNoticeChannels, sendTestNotice, setNoticeChannelSecret } from './notice-place.ts';

export interface ListedNoticeChannel extends Pick<NoticeChannel, 'kind' | 'enabled' | 'min_severity'> {
  readonly name: string;
  readonly to: string;
  /** The rules whose findings the channel receives. Null means all rules. */
  readonly rules: readonly string[] | null;
  readonly secret: 'kept' | 'missing' | 'not_needed';
  /** Number of unsent notices. */
  readonly waiting: number;
}

/** Lists the channels of the profile or of its server. @throws {TradeAgentError} `credential_store_…` */
export async function listNoticeChannels(app: App): Promise<readonly ListedNoticeChannel[]> {
  if ((await profileServerUrl(app)) !== undefined)
    return (await import('./server-notices.ts')).listServerNoticeChannels(app);
  const { notices = {} } = await app.writtenProfile();
  const channels = Object.entries(notices);
  if (channels.length === 0) return [];
  const secretOf = await loadNoticeSecrets(await app.store());
  const waiting = await waitingNotices(app);
  return channels.map(([name, channel]) => ({
    name,
    kind: channel.kind,
    enabled: channel.enabled,
    to: formatNoticeDestination(channel),
    min_severity: channel.min_severity,
    rules: channel.rules ?? null,
    secret: getNoticeSecretState(channel, secretOf(name, channel) !== undefined),
    waiting: waiting.get(name) ?? 0,
  }));
}

export function getNoticeSecretState(channel: NoticeChannel, kept: boolean): ListedNoticeChannel['secret'] {
  if (kept) return 'kept';
  return noticeSecretRequirement(channel) === 'required' ? 'missing' : 'not_needed';
}

async function waitingNotices(app: App): Promise<ReadonlyMap<string, number>> {
  const file = join((await app.home()).data, `checks.${(await app.writtenProfile()).name}.db`);
  if (!existsSync(file)) return new Map();
  const [{ getOrCreateDatabaseKey }, { openCheckStore }] = await Promise.all([
    import('../../secrets/database-key.ts'),
    import('../../store/sqlite/check-store.ts'),
  ]);
  const store = openCheckStore(file, (await getOrCreateDatabaseKey(await app.store())).toString('hex'));
  try {
    return await store.waitingNotices();
  } finally {
    store.close();
  }
}

/** Settings that take a list and may be repeated. */
const LIST_SETTINGS: readonly string[] = ['to', 'rules', 'tags'];

async function noticeEntry(app: Pick<App, 'home' | 'writtenProfile'>, name: string): Promise<EntryLocation> {
  return { home: await app.home(), profile: (await app.writtenProfile()).name, section: 'notices', name };
}

/**
 * Adds a channel to the profile or to its server.
 * @param settings a list of `KEY=VALUE`, with YAML values; `to`, `rules` and `tags` may be repeated
 * @throws {TradeAgentError} `usage` for an unknown kind, a name that is taken, or a malformed setting; `invalid_config`
 *   for settings that the kind doesn't accept. Nothing is written in these cases
 */
export async function addNoticeChannel(app: App, name: string, kind: string, settings: readonly string[]) {
  if (!noticeChannelKindNames.includes(kind)) {
    throw new TradeAgentError('usage', `unknown channel kind "${kind}"`, {
      hint: `Choose one of: ${noticeChannelKindNames.join(', ')}.`,
    });
  }
  const atServer = (await profileServerUrl(app)) === undefined ? undefined : await import('./server-notices.ts');
  const there =
    atServer === undefined
      ? Object.keys((await app.writtenProfile()).notices ?? {})
      : (await atServer.listServerNoticeChannels(app)).map((one) => one.name);
  if (there.includes(name)) {
    throw new TradeAgentError('usage', `a channel "${name}" already exists`, {
      hint: `Choose another name, or remove it first: trade-agent notices remove ${name}`,
    });
  }
  const written = { kind, ...(await parseChannelSettings(settings)) };
  if (atServer === undefined) await writeProfileEntry(await noticeEntry(app, name), written);
  else await atServer.addServerNoticeChannel(app, name, written);
  const channel = noticeChannelSchema.parse(written);
  return { kind: channel.kind, to: formatNoticeDestination(channel), secret: noticeSecretRequirement(channel) };
}

/** Parses `KEY=VALUE` settings. @throws {TradeAgentError} `usage` */
async function parseChannelSettings(words: readonly string[]): Promise<Record<string, unknown>> {
  const settings: Record<string, unknown> = {};
  for (const word of words) {
    const [, key = '', text = ''] = /^([a-z_]+)=(.*)$/s.exec(word) ?? [];
    if (key === '') {
      throw new TradeAgentError('usage', `"${word}" is not a setting`, {
        hint: 'Write each setting as KEY=VALUE, such as to=alice@example.com. See docs/guide/NOTICES.md.',
      });
    }
    const { content } = await parseYamlDocument(text, key);
    const before = settings[key];
    if (LIST_SETTINGS.includes(key) && !Array.isArray(content)) {
      settings[key] = [...(Array.isArray(before) ? before : []), content];
    } else if (before === undefined) {
      settings[key] = content;
    } else {
      throw new TradeAgentError('usage', `${key} is set twice`, { hint: 'Set it only once.' });
    }
  }
  return settings;
}

/** Sends a test notice. @throws {TradeAgentError} `not_found`; `notice_failed` */
export async function sendProfileTestNotice(app: App, name: string) {
  if ((await profileServerUrl(app)) !== undefined)
    return (await import('./server-notices.ts')).sendServerTestNotice(app, name);
  return await sendTestNotice(app, profileNoticeChannels(app), name);
}

/**
 * Stores a channel's secret, on this machine or sealed on the server.
 * @param ask asks for the secret, given a description of it
 * @throws {TradeAgentError} `not_found`; `usage` if the channel needs no secret
 */
export async function setProfileNoticeSecret(app: App, name: string, ask: (words: string) => Promise<string>) {
  if ((await profileServerUrl(app)) !== undefined) {
    const { setServerNoticeSecret } = await import('./server-notices.ts');
    return { ...(await setServerNoticeSecret(app, name, ask)), place: 'on the server, sealed' };
  }
  return { ...(await setNoticeChannelSecret(profileNoticeChannels(app), name, ask)), place: 'in the credential store' };
}

/** Removes a channel and its secret. @throws {TradeAgentError} `not_found`, `credential_store_…` */
export async function removeNoticeChannel(app: App, name: string): Promise<void> {
  if ((await profileServerUrl(app)) !== undefined)
    return (await import('./server-notices.ts')).removeServerNoticeChannel(app, name);
  await findNoticeChannel(profileNoticeChannels(app), name);
  await deleteNoticeSecret(await app.store(), name);
  await removeProfileEntry(await noticeEntry(app, name));
}
