import type { NoticeChannelOf } from '../config/notice-channels.ts';
import type { NoticeSeverity } from '../config/notice-settings.ts';
import { createPostSender } from './http-post.ts';
import type { Notice } from './notice.ts';
import type { SenderFactory } from './sender.ts';

/** ntfy, "Message priority": 1 is the lowest, 3 is the default, and 5 rings even on a muted phone. */
const priorities: Readonly<Record<NoticeSeverity, number>> = { info: 2, warning: 4, critical: 5 };

/** ntfy, "Tags & emojis". */
const emojis: Readonly<Record<NoticeSeverity, string>> = {
  info: 'information_source',
  warning: 'warning',
  critical: 'rotating_light',
};

/**
 * Returns ntfy's JSON ("Publish as JSON"), which is posted to the server's root so that the topic is not in the URL.
 * Servers since 2.16 replace a message with a retry that has the same `sequence_id`. Older servers ignore the field.
 */
export function ntfyMessage(
  { topic, tags }: Pick<NoticeChannelOf<'ntfy'>, 'topic' | 'tags'>,
  { id, severity, title, body, type }: Notice,
): string {
  return JSON.stringify({
    topic,
    title,
    message: body,
    priority: type === 'approval' ? priorities.critical : priorities[severity],
    tags: [type === 'approval' ? 'iphone' : emojis[severity], ...tags],
    sequence_id: id,
  });
}

export const createNtfySender: SenderFactory<'ntfy'> = (channel, token, deps) =>
  createPostSender(deps, (notice) => ({
    url: channel.server,
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    body: ntfyMessage(channel, notice),
  }));
