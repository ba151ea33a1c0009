import { z } from 'zod';
import { batchLineSchema } from '../trading/kinds/kind-words.ts';
import { kinds, proposalKinds, underKind } from '../trading/kinds/kinds.ts';
import { grantedSchema } from '../trading/mandate/granted.ts';
import { sentMessageSchema } from '../trading/message.ts';
import { environments } from '../trading/order.ts';
import { proposalStates, worstCaseSchema } from '../trading/proposal.ts';
import { orderSchema } from '../trading/views.ts';

/*
 * Schemas of events.ts, for docs/reference/schema/ and the protocol of `trade-agent server` (remote/protocol.ts). Not
 * loaded by runs on this machine.
 */

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

export const runStatus = z.enum(['done', 'pending', 'denied', 'expired', 'blocked', 'unknown', 'failed']);

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

export const approval = approvalSummary
  .extend({
    thread: z.string().describe('empty where another client, or another machine, proposed it'),
    environment: z.enum(environments).optional().describe("an order's"),
    chosen_by_ai: z
      .array(z.string())
      .optional()
      .describe('fields that are in no words of yours: a model chose them'),
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
  })
  .refine((view) => underKind(view) !== undefined, 'must have what it is for, under its kind’s name');

export const connection = z.object({
  name: z.string(),
  status: z.enum(['needed', 'connected', 'missing']),
  command: z.string(),
});

export const toolData = z
  .array(
    z.object({
      tool: z.string(),
      content: z
        .record(z.string(), z.unknown())
        .describe('as the tool answered: amounts are decimal strings, times RFC 3339'),
      outside: z
        .string()
        .optional()
        .describe('where words in it come from that neither you nor the gateway chose'),
    }),
  )
  .describe('what the tools gave, in the order they did; nothing of calls that failed');

export const usage = z.object({
  model: z.string(),
  input_tokens: z.int(),
  output_tokens: z.int(),
  cost_usd: z
    .string()
    .describe('a decimal number, never a float')
    .optional()
    .describe('dollars; absent where it is not known'),
});

export const thread = z.object({
  thread: z.string(),
  prompt: z.string().describe('the first prompt, cut short'),
  status: z.union([runStatus, z.literal('running')]),
  updated_at: time,
});

export const threadMessage = z.union([
  z.object({ role: z.literal('user'), text: z.string() }),
  z.object({ role: z.literal('context'), text: z.string().describe('standard input') }),
  z.object({
    role: z.literal('agent'),
    text: z.string(),
    calls: z.array(z.object({ id: z.string(), name: z.string(), args: z.record(z.string(), z.unknown()) })),
  }),
  z.object({
    role: z.literal('tool'),
    call: z.string(),
    name: z.string(),
    ok: z.boolean(),
    text: z.string(),
  }),
]);

/** The fields of each event but `result`. */
export const eventShapes = {
  thread: { thread: z.string() },
  text: { delta: z.string() },
  tool_call: { id: z.string(), name: z.string(), args: z.record(z.string(), z.unknown()) },
  tool_result: { id: z.string(), name: z.string(), ok: z.boolean(), summary: z.string(), ms: z.number() },
  approval: { approval },
  order: { order: orderSchema, approval: z.string().describe("the approval's id") },
  connection: { connection },
  notice: { message: z.string() },
} as const satisfies Record<string, z.ZodRawShape>;
