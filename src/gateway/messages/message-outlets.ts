import { z } from 'zod';
import { requireSecureUrl } from '../../net/secure-url.ts';
import type { MessageService } from '../../trading/message.ts';
import type { IdentityProvider } from '../auth/identity-provider.ts';
import {
  type BrokerTokenExchange,
  createBrokerTokens,
  tokenExchangeNotConfiguredError,
} from '../broker/broker-token.ts';
import {
  type DeliverMessage,
  type MessageDeliveryOptions,
  type MessageDeliveryOutcome,
  postMessageRequest,
} from './delivery.ts';
import { createGmailDelivery, GMAIL_URL } from './gmail.ts';
import type { MessageTransport } from './message-service.ts';

export type MessageServiceSettings = {
  readonly [S in MessageService]?:
    | {
        readonly audience: string;
        /** Default: the service's own address. */
        readonly url?: string | undefined;
      }
    | undefined;
};

/** @throws {TradeAgentError} `invalid_config` if an address is insecure, or if token exchange is not configured */
export function createMessageOutlets(
  {
    messages = {},
    exchange,
  }: { readonly messages?: MessageServiceSettings | undefined; readonly exchange?: BrokerTokenExchange | undefined },
  provider: IdentityProvider,
  requests: Omit<MessageDeliveryOptions, 'url'> & { now: () => number },
): ReadonlyMap<MessageService, MessageTransport> {
  const outlets = new Map<MessageService, MessageTransport>();
  const add = (service: MessageService, own: string, delivery: typeof slackDelivery) => {
    const settings = messages[service];
    if (settings === undefined) return;
    if (exchange === undefined) throw tokenExchangeNotConfiguredError('message services are configured, and they');
    const { audience, url = own } = settings;
    requireSecureUrl(url);
    outlets.set(service, {
      tokens: createBrokerTokens({ provider, exchange: { ...exchange, audience }, ...requests }),
      deliver: delivery({ url, ...requests }),
    });
  };
  add('slack', SLACK_URL, slackDelivery);
  add('gmail', GMAIL_URL, createGmailDelivery);
  return outlets;
}

const SLACK_URL = 'https://slack.com/api';

const answerSchema = z.union([
  z.object({ ok: z.literal(true), ts: z.string().min(1), channel: z.string() }),
  z.object({ ok: z.literal(false), error: z.string() }),
]);

/** Slack's error codes for a token that no longer works. */
const UNAUTHORIZED_ERRORS = [
  'not_authed',
  'invalid_auth',
  'account_inactive',
  'token_revoked',
  'token_expired',
  'missing_scope',
];
/**
 * Slack's error codes after which the message may have been sent. Slack's documentation says: "It is possible some
 * aspect of the operation succeeded before the error was raised".
 */
const UNCERTAIN_ERRORS = ['fatal_error', 'internal_error', 'request_timeout', 'service_unavailable'];

/** Returns a function that sends exactly the approved text with `chat.postMessage`: no markup, links or previews. */
function slackDelivery(options: MessageDeliveryOptions): DeliverMessage {
  return async ({ recipient, text }, accessToken) => {
    const answer = await postMessageRequest(
      `${options.url.replace(/\/+$/, '')}/chat.postMessage`,
      {
        accessToken,
        contentType: 'application/json; charset=utf-8',
        body: JSON.stringify({
          channel: recipient,
          text: escapeText(text),
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

/** Applies the escapes that Slack requires. Otherwise, a message with `<!channel>` would notify the whole channel. */
function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function judge(status: number, body: unknown): MessageDeliveryOutcome {
  if (status === 429) return { outcome: 'not_taken', reason: 'rate_limited' };
  const answer = answerSchema.safeParse(body).data;
  if (status !== 200 || answer === undefined) return { outcome: 'unknown' };
  if (answer.ok) return { outcome: 'sent', serviceId: answer.ts };
  if (UNAUTHORIZED_ERRORS.includes(answer.error)) return { outcome: 'not_taken', reason: 'unauthorized' };
  if (['ratelimited', 'rate_limited'].includes(answer.error)) {
    return { outcome: 'not_taken', reason: 'rate_limited' };
  }
  if (UNCERTAIN_ERRORS.includes(answer.error)) return { outcome: 'unknown' };
  return { outcome: 'refused', reason: answer.error };
}
