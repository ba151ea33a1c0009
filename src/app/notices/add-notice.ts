import { type EntryPlace, writeEntry } from '../../config/named-entries.ts';
import {
  type NoticeChannel,
  noticeChannelSchema,
  noticeDestination,
  noticeKindNames,
} from '../../config/notice-channels.ts';
import { readYaml } from '../../config/yaml-file.ts';
import { TradeAgentError } from '../../errors/errors.ts';
import { noticeSecretNeed } from '../../secrets/notice-secrets.ts';
import type { App } from '../app.ts';
import { serverOf } from '../server/require-here.ts';

/** What takes more than one; each may be said several times. */
const LISTS: readonly string[] = ['to', 'rules', 'tags'];

/** Where a channel of the profile in use stands in `config.yaml`. */
export async function noticeEntry(app: Pick<App, 'home' | 'profile'>, name: string): Promise<EntryPlace> {
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
