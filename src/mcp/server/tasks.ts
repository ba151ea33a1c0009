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

/** The task extension (SEP-2663); 2026-07-28 only. */
export const TASKS = 'io.modelcontextprotocol/tasks';

/** A `tasks/get` result without its id. Times are RFC 3339. */
export interface Task {
  readonly status: 'working' | 'input_required' | 'completed' | 'failed' | 'cancelled';
  readonly statusMessage?: string;
  readonly createdAt: string;
  readonly lastUpdatedAt: string;
  /** Lifetime in milliseconds. */
  readonly ttlMs: number;
  readonly pollIntervalMs: number;
  /** If completed: the tool's result. */
  readonly result?: object;
  /** If failed: a JSON-RPC error. */
  readonly error?: { readonly code: number; readonly message: string };
  /** If it waits for the client. */
  readonly inputRequests?: Readonly<Record<string, unknown>>;
}

/** Each method returns whether the caller has such a task. */
export interface TaskSource {
  get(id: string): Promise<Task | undefined>;
  /** No effect on a finished task. */
  cancel(id: string): Promise<boolean>;
  /** The client's responses to a task that waits for it. */
  update(id: string, responses: Readonly<Record<string, unknown>>): Promise<boolean>;
}

/** Whether this request declares the task extension. */
export function declaresTasks({ mcpReq }: Pick<ServerContext, 'mcpReq'>): boolean {
  const envelope = mcpReq.envelope as Readonly<Record<string, unknown>> | undefined;
  const declared = z
    .object({ extensions: z.object({ [TASKS]: z.looseObject({}) }) })
    .safeParse(envelope?.[CLIENT_CAPABILITIES_META_KEY]);
  return declared.success;
}

/** @throws {MissingRequiredClientCapabilityError} */
export function requireTasks(context: Pick<ServerContext, 'mcpReq'>): void {
  if (declaresTasks(context)) return;
  throw new MissingRequiredClientCapabilityError({ requiredCapabilities: { extensions: { [TASKS]: {} } } });
}

/** The answer to a `tools/call` that takes time. */
export function taskResult(taskId: string, task: Task): Result {
  const { result: _result, ...begun } = task;
  return { resultType: 'task', taskId, ...begun } as Result;
}

const params = z.looseObject({ taskId: z.string() });

/** For servers of the 2026 revision only. */
export function serveTasks(server: Server, source: TaskSource): void {
  const answer = (
    method: string,
    found: (id: string, context: ServerContext) => Promise<object | boolean | undefined>,
  ) =>
    server.setRequestHandler(method, { params }, async ({ taskId }, context) => {
      requireTasks(context);
      // An exception's message would be sent to the client.
      const task = await found(taskId, context).catch(() => {
        throw new ProtocolError(
          ProtocolErrorCode.InternalError,
          'the task cannot be looked at now: ask again',
        );
      });
      if (task === undefined || task === false) {
        throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'there is no such task of yours');
      }
      return (task === true ? {} : { taskId, ...task }) as Result;
    });
  answer('tasks/get', (id) => source.get(id));
  answer('tasks/update', (id, { mcpReq }) => source.update(id, mcpReq.inputResponses ?? {}));
  answer('tasks/cancel', (id) => source.cancel(id));
}
