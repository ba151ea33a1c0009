import { z } from 'zod';
import { defined } from '../../values/defined.ts';
import type { RunInput, RunOptions } from '../agent.ts';
import {
  addAlertSchema,
  addedAlertSchema,
  addScheduleSchema,
  agentEventSchema,
  alertsSchema,
  approvalAnswerSchema,
  approvalsAnswerSchema,
  lookAtAlertsSchema,
  lookedAtAlertsSchema,
  noticeChannelsSchema,
  noticeSecretSchema,
  prunedThreadsSchema,
  pruneThreadsSchema,
  putNoticeSchema,
  queuedScheduleSchema,
  reconcileSchema,
  removedAlertsSchema,
  resumeThreadSchema,
  scheduleAnswerSchema,
  scheduleRunsSchema,
  schedulesSchema,
  startedRunSchema,
  startRunSchema,
  testedNoticeSchema,
  threadRecordSchema,
  threadsSchema,
  type WireInput,
  type WireOptions,
} from './wire-schemas.ts';

/*
 * The protocol between RemoteAgent and `trade-agent server`: paths and schemas of all requests (wire-schemas.ts), used
 * by both sides and for the server's OpenAPI document.
 */

export { idempotencyKeySchema } from '../../trading/proposal.ts';
export { problemSchema } from '../../trading/views.ts';
export * from './wire-schemas.ts';

/** Interval of the server's keep-alive comments on streams; clients give up after three are missing. */
export const ALIVE_EVERY_MS = 15_000;
export const IDEMPOTENCY_KEY = 'idempotency-key';

export interface Operation {
  readonly method: 'get' | 'post' | 'delete';
  /** With `{name}` for ids. */
  readonly path: string;
  readonly summary: string;
  /** Requires an `Idempotency-Key`; the same key with another body is refused with 409. */
  readonly idempotent?: true;
  readonly query?: Readonly<Record<string, z.ZodType>>;
  readonly headers?: Readonly<Record<string, z.ZodType>>;
  readonly body?: z.ZodType;
  readonly status: 200 | 201 | 202 | 204;
  /** Absent for 204. */
  readonly answer?: z.ZodType;
  /** The answer is a stream of server-sent events with `answer` as data. */
  readonly streams?: true;
  /** Read scopes suffice. */
  readonly reads?: true;
}

export const operations = {
  startRun: {
    method: 'post',
    path: '/v1/agent/runs',
    summary: 'Starts a run: a thread, or a turn of one',
    idempotent: true,
    body: startRunSchema,
    status: 202,
    answer: startedRunSchema,
  },
  resumeThread: {
    method: 'post',
    path: '/v1/agent/threads/{thread}/resume',
    summary: 'Goes on with a thread that stopped',
    idempotent: true,
    body: resumeThreadSchema,
    status: 202,
    answer: startedRunSchema,
  },
  runEvents: {
    method: 'get',
    path: '/v1/agent/runs/{run}/events',
    summary: 'What happens in a run, as it does; it ends after the result',
    headers: { 'last-event-id': z.string().regex(/^\d{1,15}$/) },
    status: 200,
    answer: agentEventSchema,
    streams: true,
    reads: true,
  },
  stopRun: {
    method: 'delete',
    path: '/v1/agent/runs/{run}',
    summary:
      'Stops a run as Ctrl-C would; what is proposed stays proposed, unless it was to be cancelled on exit',
    status: 204,
    reads: true,
  },
  listThreads: {
    method: 'get',
    path: '/v1/agent/threads',
    summary: 'The person’s threads, newest first',
    query: { as_kept: z.enum(['true', 'false']) },
    status: 200,
    answer: threadsSchema,
    reads: true,
  },
  readThread: {
    method: 'get',
    path: '/v1/agent/threads/{thread}',
    summary: 'A thread whole',
    status: 200,
    answer: threadRecordSchema,
    reads: true,
  },
  deleteThread: {
    method: 'delete',
    path: '/v1/agent/threads/{thread}',
    summary: 'Removes a thread with all that was said in it',
    status: 204,
    reads: true,
  },
  pruneThreads: {
    method: 'post',
    path: '/v1/agent/threads/prune',
    summary: 'Removes finished threads',
    body: pruneThreadsSchema,
    status: 200,
    answer: prunedThreadsSchema,
    reads: true,
  },
  listApprovals: {
    method: 'get',
    path: '/v1/agent/approvals',
    summary: 'The person’s approvals, newest first',
    status: 200,
    answer: approvalsAnswerSchema,
    reads: true,
  },
  readApproval: {
    method: 'get',
    path: '/v1/agent/approvals/{approval}',
    summary: 'One approval',
    status: 200,
    answer: approvalAnswerSchema,
    reads: true,
  },
  cancelApproval: {
    method: 'post',
    path: '/v1/agent/approvals/{approval}/cancel',
    summary: 'Ends an approval that was not yet carried out',
    status: 200,
    answer: approvalAnswerSchema,
  },
  reconcile: {
    method: 'post',
    path: '/v1/agent/approvals/reconcile',
    summary: 'Asks the gateway what became of what was on its way',
    body: reconcileSchema,
    status: 200,
    answer: approvalsAnswerSchema,
    reads: true,
  },
  listSchedules: {
    method: 'get',
    path: '/v1/agent/schedules',
    summary: 'The person’s schedules',
    status: 200,
    answer: schedulesSchema,
    reads: true,
  },
  addSchedule: {
    method: 'post',
    path: '/v1/agent/schedules',
    summary: 'Keeps a schedule',
    idempotent: true,
    body: addScheduleSchema,
    status: 201,
    answer: scheduleAnswerSchema,
  },
  readSchedule: {
    method: 'get',
    path: '/v1/agent/schedules/{schedule}',
    summary: 'One schedule',
    status: 200,
    answer: scheduleAnswerSchema,
    reads: true,
  },
  removeSchedule: {
    method: 'delete',
    path: '/v1/agent/schedules/{schedule}',
    summary: 'Takes out a schedule',
    status: 204,
    reads: true,
  },
  runSchedule: {
    method: 'post',
    path: '/v1/agent/schedules/{schedule}/run',
    summary: 'Runs a schedule’s check now',
    idempotent: true,
    status: 202,
    answer: queuedScheduleSchema,
  },
  scheduleRuns: {
    method: 'get',
    path: '/v1/agent/schedules/{schedule}/runs',
    summary: 'The latest runs of a schedule',
    query: { limit: z.string().regex(/^[1-9]\d{0,2}$/) },
    status: 200,
    answer: scheduleRunsSchema,
    reads: true,
  },
  listNotices: {
    method: 'get',
    path: '/v1/agent/notices',
    summary: 'By which channels the person is told',
    status: 200,
    answer: noticeChannelsSchema,
    reads: true,
  },
  putNotice: {
    method: 'post',
    path: '/v1/agent/notices/{notice}',
    summary: 'Keeps a channel, in place of one of that name',
    body: putNoticeSchema,
    status: 204,
    reads: true,
  },
  removeNotice: {
    method: 'delete',
    path: '/v1/agent/notices/{notice}',
    summary: 'Takes out a channel, and forgets its secret',
    status: 204,
    reads: true,
  },
  setNoticeSecret: {
    method: 'post',
    path: '/v1/agent/notices/{notice}/secret',
    summary: 'Keeps a channel’s secret, in place of the one it has',
    body: noticeSecretSchema,
    status: 204,
    reads: true,
  },
  testNotice: {
    method: 'post',
    path: '/v1/agent/notices/{notice}/test',
    summary: 'Sends a test by a channel now',
    status: 200,
    answer: testedNoticeSchema,
    reads: true,
  },
  listAlerts: {
    method: 'get',
    path: '/v1/agent/alerts',
    summary: 'The prices that the person is told of',
    status: 200,
    answer: alertsSchema,
    reads: true,
  },
  addAlert: {
    method: 'post',
    path: '/v1/agent/alerts',
    summary: 'Adds an alert; one that is there already stays as it is',
    body: addAlertSchema,
    status: 200,
    answer: addedAlertSchema,
    reads: true,
  },
  lookAtAlerts: {
    method: 'post',
    path: '/v1/agent/alerts/look',
    summary: 'Says when alerts are looked at, beside when a price passes one',
    body: lookAtAlertsSchema,
    status: 200,
    answer: lookedAtAlertsSchema,
    reads: true,
  },
  removeAlert: {
    method: 'delete',
    path: '/v1/agent/alerts/{alert}',
    summary: 'Takes out an alert by its name, or all of a symbol',
    status: 200,
    answer: removedAlertsSchema,
    reads: true,
  },
} as const satisfies Record<string, Operation>;
export type OperationName = keyof typeof operations;

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

/** @param made options of the agent that makes the request */
export function toWireOptions(
  options: Omit<RunOptions, 'signal'>,
  made: Pick<WireOptions, 'read_only' | 'model' | 'account'> = {},
): WireOptions {
  const { approval: mode, cancelOnExit, requestedBy, ttl, maxTurns, mandates } = options;
  return {
    approval: mode,
    ...defined({ requested_by: requestedBy, ttl, max_turns: maxTurns, cancel_on_exit: cancelOnExit }),
    ...(mandates === undefined || mandates.length === 0
      ? {}
      : { mandates: mandates.map((one) => ({ ...one, symbols: [...one.symbols], sides: [...one.sides] })) }),
    ...made,
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
