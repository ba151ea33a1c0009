import { z } from 'zod';
import { batchLineSchema } from '../../trading/batch-line.ts';
import { kinds, proposalKinds } from '../../trading/kinds/kinds.ts';
import { grantedSchema } from '../../trading/mandate/granted.ts';
import { sentMessageSchema } from '../../trading/message.ts';
import { environments, orderTypes, sides } from '../../trading/order.ts';
import { proposalStates, worstCaseSchema } from '../../trading/proposal.ts';
import { orderSchema, orderStatuses } from '../../trading/views.ts';

/** The pieces that several results are made of. */
export const time = z.string().describe('RFC 3339, UTC');

export const error = z.object({
  code: z.string().describe('stable; decides the exit code'),
  message: z.string().describe('what happened'),
  hint: z.string().optional().describe('what to do next'),
  problem: z.string().optional().describe("the gateway's own code, where it refused"),
  reason: z.unknown().optional().describe('the first rule that said no: CATEGORY_CONDITION'),
  reasons: z.unknown().optional().describe('all of them'),
  limit: z.unknown().optional().describe('what the rule allows'),
  value: z.unknown().optional().describe('what it was'),
  policy: z.unknown().optional().describe('the digest of the rules that it was decided by'),
  broker_message: z.unknown().optional().describe("the broker's own words"),
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
  status: z.enum(proposalStates),
  kind: z.enum(proposalKinds).describe('which of those below it is for'),
  code: z.string().describe('the four characters that must be the same on the phone'),
  expires_at: time,
  ...Object.fromEntries(
    Object.values(kinds).map(({ name, subjectSchema }) => [name, subjectSchema.optional()]),
  ),
  mandate_id: z.string().optional().describe('the mandate that approved it, where nobody was asked'),
  granted: grantedSchema
    .unwrap()
    .optional()
    .describe('the mandate, once it is in force, and when the gateway first orders by itself'),
  worst_case: worstCaseSchema
    .nullable()
    .describe('the worst that can come of it; null where nothing is known'),
  warnings: z.array(z.string()),
  requested_by: z.string().nullable().describe("who or what asked, in the proposer's own words"),
  client: z.string().describe('the OAuth client that proposed it'),
});

export const approval = approvalSummary.extend({
  thread: z.string().describe('empty where another client, or another machine, proposed it'),
  environment: z.enum(environments).optional().describe("an order's"),
  account_at: z.string().optional().describe('account and broker, where you can have several'),
  stale: z.boolean().optional().describe('the gateway could not be asked: as it was last seen'),
  overdue: z.boolean().optional().describe('its time ran out since it was last seen'),
  reason: z.string().optional().describe('why it ended as it did'),
  placed: orderSchema.optional().describe('the order at the broker, once there is one'),
  lines: z
    .array(batchLineSchema.unwrap())
    .optional()
    .describe('what came of each of several orders, in the order in which they were carried out'),
  sent: sentMessageSchema.optional().describe('the message, once it was sent'),
});

export const finding = z.object({
  check: z.string(),
  status: z.enum(['ok', 'warn', 'fail', 'skip']),
  message: z.string(),
  fix: z.string().optional().describe('what to do about it; every warn and fail has one'),
  details: z.record(z.string(), z.unknown()).optional(),
});
