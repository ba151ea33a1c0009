import { poster } from './http-post.ts';
import type { Notice } from './notice.ts';
import type { Sender } from './sender.ts';

/** What Slack's incoming webhooks take, and Mattermost, Discord (`/slack`) and Rocket.Chat with them. */
export function slackMessage({ title, body }: Notice): string {
  return JSON.stringify({ text: `*${escaped(title)}*\n${escaped(body)}` });
}

/** Slack, "Escaping text": these three and no more. Without it a rule's words could call a whole channel (`<!channel>`). */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

export const slack: Sender<'slack'> = (_channel, address, surroundings) =>
  poster(surroundings, (notice) => ({ url: address, headers: {}, body: slackMessage(notice) }));
