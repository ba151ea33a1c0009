import { z } from 'zod';
import { batchLineSchema } from '../trading/kinds/kind-words.ts';
import { kindPayload, kinds, proposalKinds } from '../trading/kinds/kinds.ts';
import { mandateResultSchema } from '../trading/mandate/granted.ts';
import { sentMessageSchema } from '../trading/message.ts';
import { environments } from '../trading/order.ts';
import { codeEntrySchema, proposalStates, worstCaseSchema } from '../trading/proposal.ts';
import { orderSchema } from '../trading/views.ts';

/*
 * Schemas of events.ts, for docs/reference/schema/ and the protocol of `trade-agent server` (remote/protocol.ts).
 * Runs on this machine don't load them.
 */

export const timeSchema = z.string().describe('RFC 3339, UTC');

export const errorSchema = z.object({
  code: z.string().describe('stable; decides the exit code'),
  message: z.string().describe('what happened'),
  hint: z.string().optional().describe('what to do next'),
  problem: z.string().optional().describe("the gateway's own code, if it refused"),
  reason: z.unknown().optional().describe('the first rule that forbids the request: CATEGORY_CONDITION'),
  reasons: z.unknown().optional().describe('all rules that forbid the request'),
  limit: z.unknown().optional().describe('what the rule allows'),
  value: z.unknown().optional().describe('the actual value'),
  policy: z.unknown().optional().describe('the digest of the rules by which the request was decided'),
  broker_message: z.unknown().optional().describe("the broker's own words"),
});

export const runStatusSchema = z.enum(['done', 'pending', 'denied', 'expired', 'blocked', 'unknown', 'failed']);

export const approvalSummarySchema = z.object({
  id: z.string(),
  status: z.enum(proposalStates),
  kind: z.enum(proposalKinds).describe('the name of the field below that contains the subject'),
  code: z.string().describe('four characters that must match those on the phone'),
  code_entry: codeEntrySchema.optional().describe('"typed" if the person has to type the code on the phone'),
  expires_at: timeSchema,
  ...Object.fromEntries(Object.values(kinds).map(({ name, subjectSchema }) => [name, subjectSchema.optional()])),
  mandate_id: z.string().optional().describe('the mandate under which the proposal was approved, if nobody was asked'),
  granted: mandateResultSchema
    .unwrap()
    .optional()
    .describe('the mandate, once it is active, and when the gateway places its first order'),
  worst_case: worstCaseSchema.nullable().describe('the worst case; null if it is not known'),
  warnings: z.array(z.string()),
  requested_by: z.string().nullable().describe("who or what asked, in the proposer's own words"),
  client: z.string().describe('the OAuth client that proposed it'),
});

export const approvalViewSchema = approvalSummarySchema
  .extend({
    thread: z.string().describe('empty if another client or machine proposed it'),
    environment: z.enum(environments).optional().describe('only for orders'),
    chosen_by_ai: z
      .array(z.string())
      .optional()
      .describe('fields that a model chose, because your own words do not contain them'),
    account_at: z.string().optional().describe('account and broker, if you can have several'),
    stale: z.boolean().optional().describe('the gateway could not be reached: this is the last known state'),
    overdue: z.boolean().optional().describe('the approval has expired since its state was last read'),
    reason: z.string().optional().describe('why the proposal ended this way'),
    placed: orderSchema.optional().describe('the order at the broker, once it has been placed'),
    lines: z
      .array(batchLineSchema.unwrap())
      .optional()
      .describe('the outcome of each order of a batch, in order of execution'),
    sent: sentMessageSchema.optional().describe('the message, once it is sent'),
  })
  .refine((view) => kindPayload(view) !== undefined, 'must have the field named after its kind');

export const callDraftSchema = z.object({
  tool: z.string(),
  kind: z
    .enum(proposalKinds)
    .optional()
    .describe('the name of the field below that contains the request; absent for a change that is not proposed'),
  text: z.string().describe('what would be proposed or changed, in one line'),
  account: z.string().optional(),
  environment: z.enum(environments).optional(),
  worst_case: worstCaseSchema
    .nullable()
    .describe('the worst case at the current price; null if it is not known before the proposal is made'),
  warnings: z.array(z.string()),
  shows: z.record(z.string(), z.string()).describe('more lines that the phone would show, by label'),
  chosen_by_ai: z
    .array(z.string())
    .optional()
    .describe('fields that a model chose, because your own words do not contain them'),
  approval: z.enum(['owner', 'owner_and_second', 'mandate', 'none']).describe('who would have to approve it'),
  approver: z.string().optional().describe('owner of the account, if the account is another person’s'),
  code_entry: codeEntrySchema.optional().describe('"typed" if the code would have to be typed on the phone'),
  checked: z
    .boolean()
    .describe('whether the rules and limits were evaluated; false if that happens only once it is proposed'),
  refused: errorSchema.optional().describe('why it would be refused'),
});

export const connectionSchema = z.object({
  name: z.string(),
  status: z.enum(['needed', 'connected', 'missing']),
  command: z.string(),
});

export const toolDataSchema = z
  .array(
    z.object({
      tool: z.string(),
      content: z
        .record(z.string(), z.unknown())
        .describe('the tool’s answer: amounts are decimal strings, and times are RFC 3339'),
      outside: z.string().optional().describe('the source of any third-party (untrusted) text in the content'),
    }),
  )
  .describe('results of the tools in order, without those of failed calls');

export const usageSchema = z.object({
  model: z.string(),
  input_tokens: z.int(),
  output_tokens: z.int(),
  cost_usd: z.string().describe('a decimal number, never a float').optional().describe('dollars; absent if not known'),
});

export const threadSchema = z.object({
  thread: z.string(),
  prompt: z.string().describe('the first prompt, truncated'),
  status: z.union([runStatusSchema, z.literal('running')]),
  updated_at: timeSchema,
});

export const threadMessageSchema = z.union([
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

export const eventShapes = {
  thread: { thread: z.string() },
  text: { delta: z.string() },
  tool_call: {
    id: z.string(),
    name: z.string(),
    title: z.string().optional().describe("the tool's name for people; absent for a tool of another MCP server"),
    args: z.record(z.string(), z.unknown()),
  },
  tool_result: { id: z.string(), name: z.string(), ok: z.boolean(), summary: z.string(), ms: z.number() },
  approval: { approval: approvalViewSchema },
  order: { order: orderSchema, approval: z.string().describe("the approval's ID") },
  connection: { connection: connectionSchema },
  notice: { message: z.string() },
} as const satisfies Record<string, z.ZodRawShape>;
