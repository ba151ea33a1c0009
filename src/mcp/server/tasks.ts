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

/** The extension by which a call may take as long as a person takes (SEP-2663); of the 2026-07-28 revision alone. */
export const TASKS = 'io.modelcontextprotocol/tasks';

/** A task as `tasks/get` tells of it, but for its id. Times are RFC 3339. */
export interface Task {
  readonly status: 'working' | 'input_required' | 'completed' | 'failed' | 'cancelled';
  readonly statusMessage?: string;
  readonly createdAt: string;
  readonly lastUpdatedAt: string;
  /** For so long it can be asked for, milliseconds. */
  readonly ttlMs: number;
  readonly pollIntervalMs: number;
  /** Of a completed one: what the tool answered. */
  readonly result?: object;
  /** Of a failed one: a JSON-RPC error. */
  readonly error?: { readonly code: number; readonly message: string };
  /** Of one that waits for the client. */
  readonly inputRequests?: Readonly<Record<string, unknown>>;
}

/** Where tasks are kept. Each says whether there is such a task of this caller's: knowing an id is no right to it. */
export interface TaskSource {
  get(id: string): Promise<Task | undefined>;
  /** Nothing happens to one that is over. */
  cancel(id: string): Promise<boolean>;
  /** What the client has to say to one that waits for it. */
  update(id: string, responses: Readonly<Record<string, unknown>>): Promise<boolean>;
}

/** Whether this very request says that its client can wait by a task. */
export function declaresTasks({ mcpReq }: Pick<ServerContext, 'mcpReq'>): boolean {
  const envelope = mcpReq.envelope as Readonly<Record<string, unknown>> | undefined;
  const declared = z
    .object({ extensions: z.object({ [TASKS]: z.looseObject({}) }) })
    .safeParse(envelope?.[CLIENT_CAPABILITIES_META_KEY]);
  return declared.success;
}

/** @throws {MissingRequiredClientCapabilityError} where the request doesn't declare the extension */
export function requireTasks(context: Pick<ServerContext, 'mcpReq'>): void {
  if (declaresTasks(context)) return;
  throw new MissingRequiredClientCapabilityError({ requiredCapabilities: { extensions: { [TASKS]: {} } } });
}

/** The answer to a `tools/call` that is to be waited for. The task can be asked for already. */
export function taskResult(taskId: string, task: Task): Result {
  const { result: _result, ...begun } = task;
  return { resultType: 'task', taskId, ...begun } as Result;
}

const params = z.looseObject({ taskId: z.string() });

/** Answers `tasks/get`, `tasks/update` and `tasks/cancel`. For servers of the 2026 revision alone: no other knows them. */
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
