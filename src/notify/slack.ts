import { createPostSender } from './http-post.ts';
import type { Notice } from './notice.ts';
import type { SenderFactory } from './sender.ts';

/** Returns the JSON for incoming webhooks of Slack, Mattermost, Discord (`/slack`) and Rocket.Chat. */
export function slackMessage({ title, body }: Notice): string {
  return JSON.stringify({ text: `*${escapeText(title)}*\n${escapeText(body)}` });
}

/**
 * Escapes Slack's control characters ("Escaping text"). Without this, a rule's text could notify everyone
 * (`<!channel>`).
 */
function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

export const createSlackSender: SenderFactory<'slack'> = (_channel, address, deps) =>
  createPostSender(deps, (notice) => ({ url: address, headers: {}, body: slackMessage(notice) }));
