import {
  CLIENT_CAPABILITIES_META_KEY,
  MissingRequiredClientCapabilityError,
  ProtocolError,
  ProtocolErrorCode,
  type Result,
  type Server,
  type ServerContext,
} from '@modelcontextprotocol/server';
import { z } from 'zod';
import { isTradeAgentError } from '../../errors/errors.ts';
import { isSettledState, type Proposal } from '../../trading/proposal.ts';
import { createProposalResult, describeProposalForModel } from '../answers/proposal-answer.ts';
import type { McpCaller } from '../mcp-caller.ts';
import { requireOwnProposal } from '../tools/own-proposals.ts';

/** The task extension (SEP-2663), for revision 2026-07-28 only. */
export const TASKS_EXTENSION = 'io.modelcontextprotocol/tasks';

/** A `tasks/get` result without its ID. Times are RFC 3339. */
export interface McpTask {
  readonly status: 'working' | 'input_required' | 'completed' | 'failed' | 'cancelled';
  readonly statusMessage?: string;
  readonly createdAt: string;
  readonly lastUpdatedAt: string;
  readonly ttlMs: number;
  readonly pollIntervalMs: number;
  readonly result?: object;
  readonly error?: { readonly code: number; readonly message: string };
  /** Present if the task waits for the client. */
  readonly inputRequests?: Readonly<Record<string, unknown>>;
}

/** Gives access to a caller's tasks. `cancel` and `update` return whether the task exists. */
export interface TaskSource {
  get(id: string): Promise<McpTask | undefined>;
  /** Cancels the task. Does nothing if the task is finished. */
  cancel(id: string): Promise<boolean>;
  /** Passes the client's responses to the task that is waiting for them. */
  update(id: string, responses: Readonly<Record<string, unknown>>): Promise<boolean>;
}

export function declaresTaskExtension({ mcpReq }: Pick<ServerContext, 'mcpReq'>): boolean {
  const envelope = mcpReq.envelope as Readonly<Record<string, unknown>> | undefined;
  const declared = z
    .object({ extensions: z.object({ [TASKS_EXTENSION]: z.looseObject({}) }) })
    .safeParse(envelope?.[CLIENT_CAPABILITIES_META_KEY]);
  return declared.success;
}

/** Checks that the client supports tasks. @throws {MissingRequiredClientCapabilityError} */
export function requireTaskExtension(context: Pick<ServerContext, 'mcpReq'>): void {
  if (declaresTaskExtension(context)) return;
  throw new MissingRequiredClientCapabilityError({ requiredCapabilities: { extensions: { [TASKS_EXTENSION]: {} } } });
}

/** Builds the response to a `tools/call` whose result the client will get from a task. */
export function createTaskResult(taskId: string, task: McpTask): Result {
  const { result: _result, ...begun } = task;
  return { resultType: 'task', taskId, ...begun } as Result;
}

const params = z.looseObject({ taskId: z.string() });

/** Registers the task methods. Only for servers of the 2026 revision. */
export function registerTaskMethods(server: Server, source: TaskSource): void {
  const answer = (
    method: string,
    found: (id: string, context: ServerContext) => Promise<object | boolean | undefined>,
  ) =>
    server.setRequestHandler(method, { params }, async ({ taskId }, context) => {
      requireTaskExtension(context);
      // The error is replaced, because an exception's message would be sent to the client.
      const task = await found(taskId, context).catch(() => {
        throw new ProtocolError(ProtocolErrorCode.InternalError, 'the task could not be read; try again');
      });
      if (task === undefined || task === false) {
        throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'you have no such task');
      }
      return (task === true ? {} : { taskId, ...task }) as Result;
    });
  answer('tasks/get', (id) => source.get(id));
  answer('tasks/update', (id, { mcpReq }) => source.update(id, mcpReq.inputResponses ?? {}));
  answer('tasks/cancel', (id) => source.cancel(id));
}

/** Minimum lifetime of a task, in milliseconds. The proposal behind it is kept forever. */
const TASK_TTL_MS = 30 * 24 * 3_600_000;
const POLL_INTERVAL_MS = 2_000;

/** Converts a proposal to a task with the same ID. The task outlives the connection and the gateway's process. */
export function proposalToTask(proposal: Proposal, { environment }: Pick<McpCaller, 'environment'>): McpTask {
  const { state, created_at, updated_at } = proposal;
  const base = {
    statusMessage: describeProposalForModel(proposal),
    createdAt: created_at,
    lastUpdatedAt: updated_at.replace(/#.*/, ''),
    ttlMs: TASK_TTL_MS,
    pollIntervalMs: POLL_INTERVAL_MS,
  };
  if (!isSettledState(state)) return { status: 'working', ...base };
  if (state === 'cancelled') return { status: 'cancelled', ...base };
  return { status: 'completed', ...base, result: createProposalResult(proposal, environment, true) };
}

export function createProposalTaskSource(caller: McpCaller): TaskSource {
  const find = async (id: string) => {
    try {
      return await requireOwnProposal(caller, id);
    } catch (error) {
      if (isTradeAgentError(error) && error.code === 'not_found') return undefined;
      throw error;
    }
  };
  return {
    async get(id) {
      const proposal = await find(id);
      return proposal && proposalToTask(proposal, caller);
    },
    async cancel(id) {
      if ((await find(id)) === undefined) return false;
      try {
        await caller.gateway.withdraw(id);
      } catch (error) {
        // It is too late to cancel. The next poll reports the outcome.
        const isOver =
          isTradeAgentError(error) &&
          (error.code === 'outcome_unknown' || error.details.problem === 'proposal_settled');
        if (!isOver) throw error;
      }
      return true;
    },
    // A proposal waits for its owner, never for the client.
    update: async (id) => (await find(id)) !== undefined,
  };
}
