import { requireSecureUrl } from '../../net/secure-url.ts';
import type { MessageService } from '../../trading/message.ts';
import { type BrokerExchange, createBrokerTokens, noExchange } from '../broker/broker-token.ts';
import type { IdentityProvider } from '../door/identity-provider.ts';
import type { DeliveryOptions } from './delivery.ts';
import { GMAIL_URL, gmailDelivery } from './gmail.ts';
import type { MessageOutlet } from './message-desk.ts';
import { SLACK_URL, slackDelivery } from './slack.ts';

export type MessageServices = {
  readonly [S in MessageService]?:
    | {
        readonly audience: string;
        /** Default: the service's own. */
        readonly url?: string | undefined;
      }
    | undefined;
};

/**
 * The services in the settings, each with tokens of its own.
 * @throws {TradeAgentError} `invalid_config` for an insecure address, or without an exchange
 */
export function messageOutlets(
  {
    messages = {},
    exchange,
  }: { readonly messages?: MessageServices | undefined; readonly exchange?: BrokerExchange | undefined },
  provider: IdentityProvider,
  requests: Omit<DeliveryOptions, 'url'> & { now: () => number },
): ReadonlyMap<MessageService, MessageOutlet> {
  const outlets = new Map<MessageService, MessageOutlet>();
  const add = (service: MessageService, own: string, delivery: typeof slackDelivery) => {
    const settings = messages[service];
    if (settings === undefined) return;
    if (exchange === undefined) throw noExchange('messages are set up, and they');
    const { audience, url = own } = settings;
    requireSecureUrl(url);
    outlets.set(service, {
      tokens: createBrokerTokens({ provider, exchange: { ...exchange, audience }, ...requests }),
      deliver: delivery({ url, ...requests }),
    });
  };
  add('slack', SLACK_URL, slackDelivery);
  add('gmail', GMAIL_URL, gmailDelivery);
  return outlets;
}
