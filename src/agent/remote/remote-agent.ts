import type { Session } from '../../auth/session/session.ts';
import { isTradeAgentError } from '../../errors/errors.ts';
import { type Clock, systemClock } from '../../machine/clock.ts';
import { PROPOSE_MESSAGES, PROPOSE_ORDERS } from '../../oauth/scopes.ts';
import { defined } from '../../values/defined.ts';
import type { Agent, RunInput, RunOptions } from '../agent.ts';
import type { AgentEvent } from '../events.ts';
import { driveRemote, type RemoteStart } from './drive-remote.ts';
import { toWireInput, toWireOptions } from './protocol.ts';
import { remoteRequests } from './remote-requests.ts';
import { runScopes } from './run-scopes.ts';

export interface RemoteAgentOptions {
  /** Its profile's gateway is the server. */
  readonly session: Session;
  readonly clock?: Clock;
  readonly readOnly?: boolean;
  /** `builtin`, or one of the server's models; defaults to the server's own. */
  readonly model?: string;
  /** Account number; defaults to the person's default account. */
  readonly account?: string;
}

/**
 * The agent of a `trade-agent server`: it runs there, and keeps its threads there. What this machine sends is what the person
 * asked for; what comes back is the one stream of events that an agent here would give, through lost connections.
 *
 * @example
 * ```ts
 * import type { Session } from '../../auth/session/session.ts';
 * import { createRemoteAgent } from './remote-agent.ts';
 *
 * // Asks and leaves: the server goes on, and whoever asks for the thread later is told how it went.
 * export async function leave(session: Session): Promise<string | undefined> {
 *   const agent = createRemoteAgent({ session });
 *   const signal = AbortSignal.timeout(60_000);
 *   for await (const event of agent.run({ prompt: 'buy 5 AAPL limit 180' }, { approval: 'detach', signal })) {
 *     if (event.type === 'thread') return event.thread;
 *   }
 *   return undefined;
 * }
 * ```
 */
export function createRemoteAgent(options: RemoteAgentOptions): Agent {
  const { session, clock = systemClock, readOnly = false, model, account } = options;
  const server = remoteRequests(session);
  const made = {
    ...(readOnly ? { read_only: true } : {}),
    ...defined({ model, account }),
  };
  const drive = (
    start: Pick<RemoteStart, 'operation' | 'params' | 'thread'>,
    input: RunInput | undefined,
    runOptions: RunOptions,
  ): AsyncIterable<AgentEvent> => {
    const body = {
      ...(input === undefined ? {} : { input: toWireInput(input) }),
      options: toWireOptions(runOptions, made),
    };
    const scopes = runScopes(runOptions, readOnly, input);
    return driveRemote(server, { ...start, body, scopes }, runOptions, clock);
  };

  return {
    run: (input, runOptions) => drive({ operation: 'startRun', thread: input.thread }, input, runOptions),
    resume: (thread, runOptions) =>
      drive({ operation: 'resumeThread', params: { thread }, thread }, undefined, runOptions),
    threads: async ({ asKept = false } = {}) =>
      (await server.call('listThreads', asKept ? { query: { as_kept: 'true' } } : {})).threads,
    thread: async (id) => (await server.call('readThread', { params: { thread: id } })).thread,
    deleteThread: async (id) => {
      await server.call('deleteThread', { params: { thread: id } });
    },
    pruneThreads: async ({ olderThan, keep, dryRun = false }) => {
      const body = { older_than: olderThan, keep, dry_run: dryRun };
      return (await server.call('pruneThreads', { body })).deleted;
    },
    approvals: async () => (await server.call('listApprovals')).approvals,
    approval: async (id) => {
      try {
        return (await server.call('readApproval', { params: { approval: id } })).approval;
      } catch (error) {
        if (isTradeAgentError(error) && error.code === 'not_found') return undefined;
        throw error;
      }
    },
    cancelApproval: async (id) => {
      // The gateway requires these of a withdrawing client.
      const scopes = [PROPOSE_ORDERS, PROPOSE_MESSAGES] as const;
      return (await server.call('cancelApproval', { params: { approval: id }, scopes })).approval;
    },
    reconcile: async (id) => (await server.call('reconcile', { body: defined({ id }) })).approvals,
    // Open approvals stay open.
    close: async () => undefined,
  };
}
