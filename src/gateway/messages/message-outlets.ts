import { requireSecureUrl } from '../../net/secure-url.ts';
import type { MessageService } from '../../trading/message.ts';
import { type BrokerExchange, createBrokerTokens } from '../broker/broker-token.ts';
import { noExchange } from '../broker/no-exchange.ts';
import type { IdentityProvider } from '../door/identity-provider.ts';
import type { DeliveryOptions } from './delivery.ts';
import { GMAIL_URL, gmailDelivery } from './gmail.ts';
import type { MessageOutlet } from './message-desk.ts';
import { SLACK_URL, slackDelivery } from './slack.ts';

/** By what messages go out. */
export type MessageServices = {
  readonly [S in MessageService]?:
    | {
        /** The connection's name at the provider. */
        readonly audience: string;
        /** The API's base address; the service's own unless said otherwise. */
        readonly url?: string | undefined;
      }
    | undefined;
};

/**
 * The services this gateway sends by, each with tokens of its own.
 * @throws {TradeAgentError} `invalid_config` for an address that is neither https nor on loopback, and without an exchange
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
