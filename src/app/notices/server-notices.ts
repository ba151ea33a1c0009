import {
  createRemoteRequests,
  type OperationResponse,
  type RemoteRequests,
} from '../../agent/remote/remote-requests.ts';
import { type NoticeChannel, noticeChannelNameSchema, noticeChannelSchema } from '../../config/notice-channels.ts';
import { parseYaml } from '../../config/yaml-file.ts';
import { TradeAgentError } from '../../errors/errors.ts';
import type { App } from '../app.ts';

/* Use cases like those in `notices.ts`, for channels that are stored on the profile's server. */

type ServerApp = Pick<App, 'requireSession' | 'signal'>;

const serverRequests = async (app: ServerApp): Promise<RemoteRequests> =>
  createRemoteRequests(await app.requireSession());

export async function listServerNoticeChannels(app: ServerApp): Promise<OperationResponse<'listNotices'>['channels']> {
  return (await (await serverRequests(app)).call('listNotices', { signal: app.signal })).channels;
}

/** Finds a channel by name. @throws {TradeAgentError} `not_found` */
async function findServerNotice(app: ServerApp, name: string) {
  const channels = await listServerNoticeChannels(app);
  const found = channels.find((one) => one.name === name);
  if (found !== undefined) return found;
  const names = channels.map((one) => one.name).join(', ');
  throw new TradeAgentError('not_found', `there is no channel "${name}" on the server`, {
    hint: names === '' ? 'Add one with "trade-agent notices add NAME KIND".' : `Channels: ${names}.`,
  });
}

/** Adds a channel. @param written settings as in config.yaml @throws {TradeAgentError} `invalid_config`, `usage` */
export async function addServerNoticeChannel(app: ServerApp, name: string, written: unknown): Promise<NoticeChannel> {
  if (!noticeChannelNameSchema.safeParse(name).success) {
    throw new TradeAgentError('usage', `"${name}" is not a valid channel name`, {
      hint: 'Use up to 32 lowercase letters, digits and "-".',
    });
  }
  const channel = await parseYaml(noticeChannelSchema, JSON.stringify(written), name);
  await (await serverRequests(app)).call('putNotice', {
    params: { notice: name },
    body: { channel },
    signal: app.signal,
  });
  return channel;
}

export async function removeServerNoticeChannel(app: ServerApp, name: string): Promise<void> {
  const { signal } = app;
  await (await serverRequests(app)).call('removeNotice', { params: { notice: name }, signal });
}

/** Sends a test notice through a channel. @throws {TradeAgentError} `notice_failed` */
export async function sendServerTestNotice(
  app: ServerApp,
  name: string,
): Promise<{ readonly id: string; readonly attempts: number }> {
  const { signal } = app;
  // The server makes at most three attempts, of one minute each.
  return await (await serverRequests(app)).call('testNotice', {
    params: { notice: name },
    signal,
    ms: 200_000,
  });
}

/**
 * Stores a channel's secret on the server. @param ask asks for the secret, given a description of it
 * @throws {TradeAgentError} `not_found`; `usage` if the channel needs no secret
 */
export async function setServerNoticeSecret(
  app: ServerApp,
  name: string,
  ask: (words: string) => Promise<string>,
): Promise<{ readonly kind: string; readonly words: string }> {
  const { kind, wants } = await findServerNotice(app, name);
  if (wants === null)
    throw new TradeAgentError('usage', `${name} needs no secret`, {
      hint: 'You can use the channel without a secret.',
    });
  const body = { secret: await ask(wants) };
  const { signal } = app;
  await (await serverRequests(app)).call('setNoticeSecret', { params: { notice: name }, body, signal });
  return { kind, words: wants };
}
