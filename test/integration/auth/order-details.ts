import { formatUtcSeconds } from '../../../src/machine/clock.ts';
import {
  buildTradeOrderDetails,
  orderBindingText,
  type TradeOrderDetails,
} from '../../../src/trading/approval-details.ts';
import type { MessageDraft } from '../../../src/trading/message.ts';
import {
  buildMessageSendDetails,
  type MessageSendDetails,
  messageBindingText,
} from '../../../src/trading/message-details.ts';
import type { OrderDraft } from '../../../src/trading/order.ts';

let orders = 0;

/** The details and binding message of an order that can be asked for; each call another order. */
export function anOrder(
  gateway: string,
  change: Partial<OrderDraft> = {},
): { details: TradeOrderDetails; message: string } {
  const draft: OrderDraft = {
    account: 'PA3ALICE01',
    environment: 'paper',
    symbol: 'AAPL',
    side: 'buy',
    qty: '5',
    type: 'limit',
    limit_price: '180.00',
    time_in_force: 'day',
    extended_hours: false,
    reference_price: '180.10',
    max_slippage: '0.01',
    client_order_id: `ta-test-order-${++orders}`,
    expires_at: formatUtcSeconds(Date.now() + 300_000),
    ...change,
  };
  return { details: buildTradeOrderDetails(draft, { gateway }), message: orderBindingText(draft) };
}

/** As {@link anOrder}, for a message. */
export function aMessage(gateway: string): { details: MessageSendDetails; message: string } {
  const draft: MessageDraft = {
    service: 'slack',
    recipient: '#trading',
    text: 'Nothing happened today.',
    client_message_id: `ta-test-message-${++orders}`,
    expires_at: formatUtcSeconds(Date.now() + 300_000),
  };
  return { details: buildMessageSendDetails(draft, { gateway }), message: messageBindingText(draft) };
}
