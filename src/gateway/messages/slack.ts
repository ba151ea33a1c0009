import { z } from 'zod';
import { type Deliver, type Delivery, type DeliveryOptions, post } from './delivery.ts';

export const SLACK_URL = 'https://slack.com/api';

const answerSchema = z.union([
  z.object({ ok: z.literal(true), ts: z.string().min(1), channel: z.string() }),
  z.object({ ok: z.literal(false), error: z.string() }),
]);

/** Codes that mean the token no longer works. */
const unauthorized = [
  'not_authed',
  'invalid_auth',
  'account_inactive',
  'token_revoked',
  'token_expired',
  'missing_scope',
];
/** Slack: "It is possible some aspect of the operation succeeded before the error was raised". */
const uncertain = ['fatal_error', 'internal_error', 'request_timeout', 'service_unavailable'];

/** `chat.postMessage` without markup, links or previews: Slack must show the approved text and nothing else. */
export function slackDelivery(options: DeliveryOptions): Deliver {
  return async ({ recipient, text }, accessToken) => {
    const answer = await post(
      `${options.url.replace(/\/+$/, '')}/chat.postMessage`,
      {
        accessToken,
        contentType: 'application/json; charset=utf-8',
        body: JSON.stringify({
          channel: recipient,
          text: escaped(text),
          mrkdwn: false,
          parse: 'none',
          link_names: false,
          unfurl_links: false,
          unfurl_media: false,
        }),
      },
      options,
    );
    return 'outcome' in answer ? answer : judge(answer.status, answer.body);
  };
}

/** Slack's required escapes; `<!channel>` would notify everybody. */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function judge(status: number, body: unknown): Delivery {
  if (status === 429) return { outcome: 'not_taken', reason: 'rate_limited' };
  const answer = answerSchema.safeParse(body).data;
  if (status !== 200 || answer === undefined) return { outcome: 'unknown' };
  if (answer.ok) return { outcome: 'sent', serviceId: answer.ts };
  if (unauthorized.includes(answer.error)) return { outcome: 'not_taken', reason: 'unauthorized' };
  if (['ratelimited', 'rate_limited'].includes(answer.error)) {
    return { outcome: 'not_taken', reason: 'rate_limited' };
  }
  if (uncertain.includes(answer.error)) return { outcome: 'unknown' };
  return { outcome: 'refused', reason: answer.error };
}
