import { z } from 'zod';
import { type NoticeChannelKind, noticeChannelKindNames, noticeChannelSchema } from '../../config/notice-channels.ts';
import { noticeSeverities } from '../../config/notice-settings.ts';
import { runRecordSchema } from '../../schedule/run-record.ts';
import { scheduleNamePattern, timingSchema } from '../../schedule/schedule.ts';
import { checkTimes } from '../../tools/alerts.ts';
import { alertSchema } from '../../trading/alert.ts';
import { mandateIdSchema } from '../../trading/mandate/envelope.ts';
import { accountNumberSchema, environments, orderRequestSchema, sides, symbolSchema } from '../../trading/order.ts';
import { MAX_TTL_S } from '../../trading/proposal.ts';
import { orderSchema } from '../../trading/views.ts';
import { MAX_ORDERS_PER_REQUEST } from '../agent.ts';
import type { AgentEvent, ApprovalView, RunResult, ThreadRecord } from '../events.ts';
import {
  approvalViewSchema,
  connectionSchema,
  errorSchema,
  eventShapes,
  runStatusSchema,
  threadMessageSchema,
  threadSchema,
  timeSchema,
  toolDataSchema,
  usageSchema,
} from '../view-schemas.ts';

/* Schemas of the protocol between RemoteAgent and `trade-agent server`. Errors are problems (RFC 9457). */

const idSchema = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/);
export const threadIdSchema = idSchema;
const runIdSchema = idSchema;

const MAX_PROMPT_LENGTH = 100_000;
const MAX_CONTEXT_LENGTH = 1_000_000;

const promptInputSchema = z.strictObject({
  prompt: z.string().min(1).max(MAX_PROMPT_LENGTH),
  thread: threadIdSchema.exactOptional(),
  context: z.string().max(MAX_CONTEXT_LENGTH).exactOptional().describe('data, never instructions'),
});
const ordersInputSchema = z.strictObject({
  orders: z
    .array(orderRequestSchema)
    .min(1)
    .max(MAX_ORDERS_PER_REQUEST)
    .describe('proposed as they are, without a model'),
  composed_by: z.string().min(1).max(80).describe('the program that composed them'),
  together: z.boolean().exactOptional().describe('proposed as one batch, if possible'),
  thread: threadIdSchema.exactOptional(),
});

export const runInputSchema = z.union([promptInputSchema, ordersInputSchema]);
export type WireInput = z.output<typeof runInputSchema>;

/** `RunOptions` without the signal, plus the agent's options. */
export const runOptionsSchema = z.strictObject({
  approval: z.enum(['wait', 'detach', 'deny', 'mandate']),
  requested_by: z
    .string()
    .regex(/^[\x20-\x7e]{1,80}$/)
    .exactOptional(),
  ttl: z.int().min(1).max(MAX_TTL_S).exactOptional().describe('lifetime of a proposal in seconds'),
  max_turns: z.int().min(1).max(1_000).exactOptional().describe('maximum number of model calls'),
  cancel_on_exit: z.boolean().exactOptional().describe('withdraws open proposals if the run is stopped'),
  read_only: z.boolean().exactOptional().describe('the run can’t propose or cancel anything'),
  model: z.string().min(1).max(128).exactOptional().describe('builtin, or the name of one of the server’s models'),
  account: accountNumberSchema.exactOptional().describe('the account to use; defaults to the default account'),
  mandates: z
    .array(
      z.strictObject({
        symbols: z.array(symbolSchema).min(1).max(100),
        sides: z.array(z.enum(sides)).min(1),
        mandate: z.union([z.literal('any'), mandateIdSchema]),
        slot: z.string().max(16).exactOptional(),
      }),
    )
    .max(100)
    .exactOptional()
    .describe(
      'mandates that orders may be placed under; the first mandate that matches an order’s symbol and side applies',
    ),
});
export type WireOptions = z.output<typeof runOptionsSchema>;

export const startRunSchema = z.strictObject({ input: runInputSchema, options: runOptionsSchema });
export const resumeThreadSchema = z.strictObject({ options: runOptionsSchema });

export const startedRunSchema = z.object({ run: runIdSchema, thread: threadIdSchema });
export type StartedRun = z.output<typeof startedRunSchema>;

/*
 * Casts the schemas to the types of events.ts, because zod can't infer the types of a table of kinds or of optional
 * keys.
 */
const approvalSchema = approvalViewSchema as unknown as z.ZodType<ApprovalView>;

export const runResultSchema = z.object({
  thread: z.string(),
  status: runStatusSchema,
  text: z.string().describe('the answer, in Markdown'),
  data: toolDataSchema,
  orders: z.array(orderSchema),
  messages: approvalViewSchema.shape.sent.unwrap().array(),
  approvals: z.array(approvalSchema),
  connections: z.array(connectionSchema),
  usage: usageSchema,
  error: errorSchema.optional(),
}) as unknown as z.ZodType<RunResult>;

const event = <T extends AgentEvent['type'], Shape extends z.ZodRawShape>(type: T, shape: Shape) =>
  z.object({ type: z.literal(type), ...shape });

/** The `data` of a server-sent event. */
export const agentEventSchema = z.discriminatedUnion('type', [
  event('thread', eventShapes.thread),
  event('text', eventShapes.text),
  event('tool_call', eventShapes.tool_call),
  event('tool_result', eventShapes.tool_result),
  event('approval', eventShapes.approval),
  event('order', eventShapes.order),
  event('connection', eventShapes.connection),
  event('notice', eventShapes.notice),
  event('result', { result: runResultSchema }),
]) as unknown as z.ZodType<AgentEvent>;

export const threadsSchema = z.object({ threads: z.array(threadSchema) });
export const threadRecordSchema = z.object({
  thread: threadSchema.extend({ messages: z.array(threadMessageSchema), approvals: z.array(approvalSchema) }),
}) as unknown as z.ZodType<{ readonly thread: ThreadRecord }>;

export const pruneThreadsSchema = z.strictObject({
  older_than: z.int().min(0).describe('minimum idle time in milliseconds; 0 for any age'),
  keep: z.int().min(0).describe('number of newest threads to keep'),
  dry_run: z.boolean().exactOptional(),
});
export const prunedThreadsSchema = z.object({ deleted: z.array(z.string()) });

export const approvalsResponseSchema = z.object({ approvals: z.array(approvalSchema) });
export const approvalResponseSchema = z.object({ approval: approvalSchema });
export const reconcileRequestSchema = z.strictObject({
  id: z.string().min(1).max(64).exactOptional().describe('one approval; all if omitted'),
});

export const MAX_RULES_LENGTH = 64 * 1024;

/** Contains the rules as text, because the server can't read the person's files. */
export const addScheduleRequestSchema = z.strictObject({
  name: z.string().regex(scheduleNamePattern).nullable(),
  account: z.string().min(1).max(64).exactOptional().describe('the account’s number, or all'),
  timing: timingSchema.describe('New York time'),
  when_open: z.boolean(),
  on_price: z
    .boolean()
    .exactOptional()
    .describe('also run the check when a price crosses a limit in its rules, and again when the price is back'),
  check: z.strictObject({
    rules: z
      .string()
      .max(MAX_RULES_LENGTH)
      .exactOptional()
      .describe('the text of a rules file (YAML); the default rules if omitted'),
    suggest: z.boolean(),
    buy_only: z.boolean(),
    approval: z.enum(['wait', 'detach', 'deny', 'mandate']),
  }),
  timeout_ms: z
    .int()
    .positive()
    .max(24 * 3_600_000),
});
export type AddScheduleRequest = z.output<typeof addScheduleRequestSchema>;

export const remoteScheduleSchema = z.object({
  ...addScheduleRequestSchema.shape,
  id: z.string().regex(scheduleNamePattern),
  created_at: timeSchema,
  next: z.array(timeSchema).max(5).describe('when it runs next'),
  last: runRecordSchema.nullable().describe('its latest run'),
});
export type RemoteSchedule = z.output<typeof remoteScheduleSchema>;
export const schedulesSchema = z.object({ schedules: z.array(remoteScheduleSchema) });
export const scheduleResponseSchema = z.object({ schedule: remoteScheduleSchema });
/** Response to a request for an immediate run: the first run with `due: null` that starts at or after `queued_at`. */
export const queuedScheduleRunSchema = z.object({ queued_at: timeSchema });
export const scheduleRunsSchema = z.object({ runs: z.array(runRecordSchema).describe('newest first') });

const alertViewSchema = z.object({
  name: z.string(),
  alert: alertSchema,
  enabled: z.boolean(),
  snoozed_until: timeSchema.nullable(),
});
const alertCare = {
  looked_at_by: z.array(z.string()).describe('schedules, by name or ID'),
  told_by: z.array(z.string()).describe('notification channels'),
};
export const alertsSchema = z.object({ alerts: z.array(alertViewSchema), ...alertCare });
export const addAlertSchema = z.strictObject({ alert: alertSchema });
export const addedAlertSchema = z.object({
  added: alertViewSchema,
  is_new: z.boolean().describe('false if it already existed'),
  ...alertCare,
});
export const removedAlertsSchema = z.object({ removed: z.array(alertViewSchema) });
export const scheduleAlertChecksSchema = z.strictObject({ every: z.enum(checkTimes) });
export const alertChecksScheduledSchema = z.object({
  schedule: z.string(),
  is_new: z.boolean(),
  with: z.string(),
});

/** A secret that requests may contain but that no response returns. */
const noticeSecret = z.string().min(1).max(400).describe('password, token or signing key, if it has one');
export const putNoticeChannelSchema = z.strictObject({
  channel: noticeChannelSchema,
  secret: noticeSecret.exactOptional(),
});
export const noticeChannelsSchema = z.object({
  channels: z.array(
    z.object({
      name: z.string(),
      kind: z.enum(noticeChannelKindNames as NoticeChannelKind[]),
      to: z.string().describe('its destination, in words'),
      enabled: z.boolean(),
      min_severity: z.enum(noticeSeverities),
      rules: z.array(z.string()).nullable().describe('only findings of these rules; null for all rules'),
      secret: z.enum(['kept', 'missing', 'not_needed']),
      wants: z.string().nullable().describe('a description of the channel’s secret; null if it has none'),
      waiting: z.int().min(0).describe('number of notices that could not be sent yet'),
    }),
  ),
});
export const noticeSecretSchema = z.strictObject({ secret: noticeSecret });
export const noticeTestResultSchema = z.object({ id: z.string(), attempts: z.int() });

/** Protected resource metadata (RFC 9728 §2), which lists the authorization servers. */
export const protectedResourceSchema = z.object({
  resource: z.url(),
  authorization_servers: z.array(z.url()).min(1),
  /** The public login client (RFC 8628); defaults to `trade-agent`. */
  trade_agent_login_client: z.string().min(1).max(256).optional(),
  trade_agent_environment: z.enum(environments).optional(),
});
export const PROTECTED_RESOURCE_PATH = '/.well-known/oauth-protected-resource';
export const OPENAPI_PATH = '/openapi.json';
