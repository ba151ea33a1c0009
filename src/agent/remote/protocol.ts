import { z } from 'zod';
import { defined } from '../../values/defined.ts';
import type { RunInput, RunOptions } from '../agent.ts';
import {
  addAlertSchema,
  addedAlertSchema,
  addScheduleRequestSchema,
  agentEventSchema,
  alertChecksScheduledSchema,
  alertsSchema,
  approvalResponseSchema,
  approvalsResponseSchema,
  noticeChannelsSchema,
  noticeSecretSchema,
  noticeTestResultSchema,
  prunedThreadsSchema,
  pruneThreadsSchema,
  putNoticeChannelSchema,
  queuedScheduleRunSchema,
  reconcileRequestSchema,
  removedAlertsSchema,
  resumeThreadSchema,
  scheduleAlertChecksSchema,
  scheduleResponseSchema,
  scheduleRunsSchema,
  schedulesSchema,
  startedRunSchema,
  startRunSchema,
  threadRecordSchema,
  threadsSchema,
  type WireInput,
  type WireOptions,
} from './wire-schemas.ts';

/*
 * The protocol between RemoteAgent and `trade-agent server`: paths and schemas of all requests (wire-schemas.ts). Both
 * sides use these definitions, and the server's OpenAPI document is generated from them.
 */

export { idempotencyKeySchema } from '../../trading/proposal.ts';
export { problemSchema } from '../../trading/views.ts';
export * from './wire-schemas.ts';

/** Milliseconds between keep-alive comments on streams. A client reconnects when three in a row are missing. */
export const KEEP_ALIVE_INTERVAL_MS = 15_000;
export const IDEMPOTENCY_KEY_HEADER = 'idempotency-key';

export interface AgentOperation {
  readonly method: 'get' | 'post' | 'delete';
  /** Path in which `{name}` is a placeholder for an ID. */
  readonly path: string;
  readonly summary: string;
  /** Requires an `Idempotency-Key`. The same key with a different body is rejected with 409. */
  readonly idempotent?: true;
  readonly query?: Readonly<Record<string, z.ZodType>>;
  readonly headers?: Readonly<Record<string, z.ZodType>>;
  readonly body?: z.ZodType;
  readonly status: 200 | 201 | 202 | 204;
  /** Schema of the response body; undefined for status 204. */
  readonly answer: z.ZodType | undefined;
  /** Whether the response is a stream of server-sent events. `answer` is then the schema of each event's data. */
  readonly streams?: true;
  /** Whether a token with only read scopes may call the operation. */
  readonly reads?: true;
}

/**
 * Defines an operation.
 * @param request method and path below `/v1/agent`, with `{name}` in place of IDs
 * @param answer schema of the response body. The default status is 200, or 204 if `answer` is omitted
 */
function defineOperation<Answer extends z.ZodType | undefined = undefined>(
  request: `${AgentOperation['method']} /${string}`,
  summary: string,
  answer?: Answer,
  more: Partial<Omit<AgentOperation, 'method' | 'path' | 'summary' | 'answer'>> = {},
) {
  const [method, path] = request.split(' ') as [AgentOperation['method'], string];
  const status = answer === undefined ? 204 : 200;
  return { method, path: `/v1/agent${path}`, summary, status, ...more, answer: answer as Answer } as const;
}

const defineReadOperation: typeof defineOperation = (request, summary, answer, more) =>
  defineOperation(request, summary, answer, { ...more, reads: true });

export const agentOperations = {
  startRun: defineOperation('post /runs', 'Starts a run in a new or existing thread', startedRunSchema, {
    idempotent: true,
    body: startRunSchema,
    status: 202,
  }),
  resumeThread: defineOperation('post /threads/{thread}/resume', 'Resumes a stopped thread', startedRunSchema, {
    idempotent: true,
    body: resumeThreadSchema,
    status: 202,
  }),
  runEvents: defineReadOperation(
    'get /runs/{run}/events',
    'Streams the events of a run; ends after the result',
    agentEventSchema,
    { headers: { 'last-event-id': z.string().regex(/^\d{1,15}$/) }, streams: true },
  ),
  stopRun: defineReadOperation(
    'delete /runs/{run}',
    'Stops a run as Ctrl-C would; proposals stay open unless cancel_on_exit was set',
  ),
  listThreads: defineReadOperation('get /threads', 'Lists the person’s threads, newest first', threadsSchema, {
    query: { as_kept: z.enum(['true', 'false']) },
  }),
  readThread: defineReadOperation(
    'get /threads/{thread}',
    'Reads a thread with its messages and approvals',
    threadRecordSchema,
  ),
  deleteThread: defineReadOperation('delete /threads/{thread}', 'Deletes a thread and its conversation'),
  pruneThreads: defineReadOperation('post /threads/prune', 'Deletes finished threads', prunedThreadsSchema, {
    body: pruneThreadsSchema,
  }),
  listApprovals: defineReadOperation(
    'get /approvals',
    'Lists the person’s approvals, newest first',
    approvalsResponseSchema,
  ),
  readApproval: defineReadOperation('get /approvals/{approval}', 'Reads an approval', approvalResponseSchema),
  cancelApproval: defineOperation(
    'post /approvals/{approval}/cancel',
    'Withdraws an approval request that was not executed yet',
    approvalResponseSchema,
  ),
  reconcile: defineReadOperation(
    'post /approvals/reconcile',
    'Asks the gateway for outcomes that are not known yet',
    approvalsResponseSchema,
    { body: reconcileRequestSchema },
  ),
  listSchedules: defineReadOperation('get /schedules', 'Lists the person’s schedules', schedulesSchema),
  addSchedule: defineOperation('post /schedules', 'Adds a schedule', scheduleResponseSchema, {
    idempotent: true,
    body: addScheduleRequestSchema,
    status: 201,
  }),
  readSchedule: defineReadOperation('get /schedules/{schedule}', 'Reads a schedule', scheduleResponseSchema),
  removeSchedule: defineReadOperation('delete /schedules/{schedule}', 'Removes a schedule'),
  runSchedule: defineOperation(
    'post /schedules/{schedule}/run',
    'Runs a schedule’s check now',
    queuedScheduleRunSchema,
    {
      idempotent: true,
      status: 202,
    },
  ),
  scheduleRuns: defineReadOperation(
    'get /schedules/{schedule}/runs',
    'Lists the latest runs of a schedule',
    scheduleRunsSchema,
    { query: { limit: z.string().regex(/^[1-9]\d{0,2}$/) } },
  ),
  listNotices: defineReadOperation('get /notices', 'Lists the person’s notification channels', noticeChannelsSchema),
  putNotice: defineReadOperation(
    'post /notices/{notice}',
    'Adds a channel, or replaces the channel with that name',
    undefined,
    {
      body: putNoticeChannelSchema,
    },
  ),
  removeNotice: defineReadOperation('delete /notices/{notice}', 'Removes a channel and its secret'),
  setNoticeSecret: defineReadOperation(
    'post /notices/{notice}/secret',
    'Sets or replaces a channel’s secret',
    undefined,
    { body: noticeSecretSchema },
  ),
  testNotice: defineReadOperation(
    'post /notices/{notice}/test',
    'Sends a test notice through a channel now',
    noticeTestResultSchema,
  ),
  listAlerts: defineReadOperation('get /alerts', 'Lists the person’s price alerts', alertsSchema),
  addAlert: defineReadOperation('post /alerts', 'Adds an alert; an existing one is left unchanged', addedAlertSchema, {
    body: addAlertSchema,
  }),
  lookAtAlerts: defineReadOperation(
    'post /alerts/look',
    'Schedules checks of the alerts, in addition to those that price events trigger',
    alertChecksScheduledSchema,
    { body: scheduleAlertChecksSchema },
  ),
  removeAlert: defineReadOperation(
    'delete /alerts/{alert}',
    'Removes an alert by name, or all alerts of a symbol',
    removedAlertsSchema,
  ),
} satisfies Record<string, AgentOperation>;
export type OperationName = keyof typeof agentOperations;

export function toWireInput(input: RunInput): WireInput {
  if ('prompt' in input) return { ...input };
  const { composedBy, orders, ...rest } = input;
  return { orders: [...orders], composed_by: composedBy, ...rest };
}

export function fromWireInput(input: WireInput): RunInput {
  if ('prompt' in input) return input;
  const { composed_by, ...rest } = input;
  return { ...rest, composedBy: composed_by };
}

/** Returns the options for the server. @param agentOptions options of the agent that sends the request */
export function toWireOptions(
  options: Omit<RunOptions, 'signal'>,
  agentOptions: Pick<WireOptions, 'read_only' | 'model' | 'account'> = {},
): WireOptions {
  const { approval: mode, cancelOnExit, requestedBy, ttl, maxTurns, mandates } = options;
  return {
    approval: mode,
    ...defined({ requested_by: requestedBy, ttl, max_turns: maxTurns, cancel_on_exit: cancelOnExit }),
    ...(mandates === undefined || mandates.length === 0
      ? {}
      : { mandates: mandates.map((one) => ({ ...one, symbols: [...one.symbols], sides: [...one.sides] })) }),
    ...agentOptions,
  };
}

export function fromWireOptions(wire: WireOptions, signal: AbortSignal): RunOptions {
  const { approval: mode, cancel_on_exit, requested_by, ttl, max_turns, mandates } = wire;
  return {
    approval: mode,
    signal,
    ...defined({
      requestedBy: requested_by,
      ttl,
      maxTurns: max_turns,
      cancelOnExit: cancel_on_exit,
      mandates,
    }),
  };
}
