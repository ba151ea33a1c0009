import { poster } from './http-post.ts';
import type { Notice } from './notice.ts';
import type { Sender } from './sender.ts';

/** Returns the JSON for incoming webhooks of Slack, Mattermost, Discord (`/slack`) and Rocket.Chat. */
export function slackMessage({ title, body }: Notice): string {
  return JSON.stringify({ text: `*${escaped(title)}*\n${escaped(body)}` });
}

/** Escapes the three characters in Slack, "Escaping text". Unescaped, a rule could notify a whole channel (`<!channel>`). */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

export const slack: Sender<'slack'> = (_channel, address, surroundings) =>
  poster(surroundings, (notice) => ({ url: address, headers: {}, body: slackMessage(notice) }));
