import { z } from 'zod';
import { approvalStatuses } from '../../agent/events.ts';
import { messageDraftSchema, sentMessageSchema } from '../../trading/message.ts';
import { environments, orderDraftSchema, orderTypes, sides } from '../../trading/order.ts';
import { orderSchema, orderStatuses } from '../../trading/views.ts';

/** The pieces that several results are made of. */
export const time = z.string().describe('RFC 3339, UTC');

export const error = z.object({
  code: z.string().describe('stable; decides the exit code'),
  message: z.string().describe('what happened'),
  hint: z.string().optional().describe('what to do next'),
});

export const user = z.object({
  sub: z.string(),
  name: z.string().nullable(),
  email: z.string().nullable(),
});

export const runStatus = z.enum(['done', 'pending', 'denied', 'expired', 'blocked', 'unknown', 'failed']);

export const orderSummary = z.object({
  id: z.string(),
  client_order_id: z.string(),
  symbol: z.string(),
  side: z.enum(sides),
  qty: z.string().nullable(),
  type: z.enum(orderTypes),
  status: z.enum(orderStatuses),
  filled_qty: z.string(),
  filled_avg_price: z.string().nullable(),
});

export const approvalSummary = z.object({
  id: z.string(),
  status: z.enum(approvalStatuses),
  kind: z.enum(['order', 'message']).describe('which of the two below it is for'),
  code: z.string().describe('the four characters that must be the same on the phone'),
  expires_at: time,
  order: orderDraftSchema.optional(),
  message: messageDraftSchema.optional(),
});

export const approval = approvalSummary.extend({
  thread: z.string(),
  environment: z.enum(environments).optional().describe("an order's"),
  overdue: z.boolean().optional().describe('its time ran out; no order comes of it'),
  reason: z.string().optional().describe('why it ended as it did'),
  placed: orderSchema.optional().describe('the order at the broker, once there is one'),
  sent: sentMessageSchema.optional().describe('the message, once it was sent'),
});
