import type { ApprovalClient } from '../auth/ciba.ts';
import type { ResolvedProfile } from '../auth/profile.ts';
import type { Session } from '../auth/session.ts';
import type { Clock } from '../trading/clock.ts';
import { systemClock } from '../trading/clock.ts';
import { isTradeAgentError, TradeAgentError } from '../trading/errors.ts';
import type { Agent, RunOptions } from './agent.ts';
import { isSettled, isUnderWay } from './approval-states.ts';
import { type Approval, approvalView, createApprovalStore } from './approval-store.ts';
import { createAuditLog } from './audit-log.ts';
import type { ChatModel } from './chat-model.ts';
import { pruneCheckpoints } from './checkpoint-pruning.ts';
import type { AgentEvent, RunResult } from './events.ts';
import { newHolder } from './holder.ts';
import { disableTracing } from './no-tracing.ts';
import type { RunnerParts, RunRequest } from './runner.ts';
import { openStateDatabase } from './state-database.ts';
import { createThreadStore } from './thread-store.ts';
import { createTokenSeal } from './token-seal.ts';
import { watchCheckpoints } from './watched-checkpoints.ts';

export interface CreateAgentOptions {
  readonly profile: ResolvedProfile;
  /** Undefined when nobody is signed in: the agent then can't say who the user is or see anything of theirs. */
  readonly session: Session | undefined;
  /** Made at the first approval where it is a function: registering a client takes a round trip. */
  readonly approvalClient: ApprovalClient | (() => Promise<ApprovalClient>);
  /** Path of `state.db`. */
  readonly stateDb: string;
  /** Path of `audit.jsonl`. */
  readonly auditLog: string;
  /** 32 bytes, as they are or in hex. */
  readonly databaseKey: Buffer | string;
  readonly clock?: Clock;
  /** Proposes and cancels nothing. */
  readonly readOnly?: boolean;
  /** Instead of the one the profile names. */
  readonly model?: ChatModel;
  /** For the model's server. */
  readonly apiKey?: string | undefined;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly fetch?: typeof fetch;
}

/**
 * Puts the agent together. Opens the state database at once; the graph and the model are loaded with the first run,
 * so that listing approvals stays quick.
 * @throws {TradeAgentError} `state_corrupt`, `busy`
 */
export async function createAgent(options: CreateAgentOptions): Promise<Agent> {
  const { profile, session, clock = systemClock, readOnly = false } = options;
  const key = databaseKey(options.databaseKey);
  const database = openStateDatabase(options.stateDb, key);
  const approvals = createApprovalStore(database, createTokenSeal(key), clock);
  const threads = createThreadStore(database, clock);
  const audit = createAuditLog(options.auditLog, clock);
  const owner = { profile: profile.name, sub: session?.user.sub };

  let parts: Promise<RunnerParts> | undefined;
  const loadParts = async (): Promise<RunnerParts> => {
    disableTracing();
    const [{ SqliteSaver }, { chooseModel }, { tools }, { createGatewayClient }] = await Promise.all([
      import('@langchain/langgraph-checkpoint-sqlite'),
      import('./model.ts'),
      import('../tools/catalog.ts'),
      import('../tools/gateway-client.ts'),
    ]);
    const model =
      options.model ??
      (await chooseModel({
        settings: profile.model,
        tools: readOnly ? tools.filter((tool) => tool.risk === 'read') : tools,
        clock,
        apiKey: options.apiKey,
        env: options.env ?? process.env,
        ...(options.fetch === undefined ? {} : { fetch: options.fetch }),
      }));
    const { approvalClient } = options;
    const saver = new SqliteSaver(database as unknown as ConstructorParameters<typeof SqliteSaver>[0]);
    if (process.env.TRADE_AGENT_BUILD === 'test') watchCheckpoints(saver);
    return {
      threads,
      pruneCheckpoints: (thread) => pruneCheckpoints(database, thread),
      saver,
      environment: {
        profile,
        session,
        model,
        approvals,
        approvalClient:
          typeof approvalClient === 'function' ? once(approvalClient) : async () => approvalClient,
        audit,
        clock,
        readOnly,
        holder: newHolder(),
        orderGateway: session === undefined ? undefined : createGatewayClient(session),
        gatewayFor: (signal) =>
          session === undefined ? undefined : createGatewayClient(session, { signal }),
      },
    };
  };

  async function* start(
    request: RunRequest,
    runOptions: RunOptions,
  ): AsyncGenerator<AgentEvent, void, undefined> {
    const thread = 'resume' in request ? request.resume : (request.thread ?? '');
    let loaded: RunnerParts;
    try {
      parts ??= loadParts();
      loaded = await parts;
    } catch (error) {
      // Not kept: with the key set, say, the next run may work.
      parts = undefined;
      if (!isTradeAgentError(error)) throw error;
      yield { type: 'result', result: notStarted(thread, profile, error) };
      return;
    }
    const { drive } = await import('./runner.ts');
    yield* drive(loaded, request, runOptions);
  }

  const find = (id: string): Approval | undefined => {
    const approval = approvals.get(id);
    if (approval === undefined || approval.profile !== owner.profile) return undefined;
    return owner.sub === undefined || approval.sub === owner.sub ? approval : undefined;
  };

  return {
    run: (input, runOptions) => start(input, runOptions),
    resume: (thread, runOptions) => start({ resume: thread }, runOptions),
    threads: async () =>
      threads.list(owner).map(({ id, title, status, updatedAt }) => ({
        thread: id,
        prompt: title,
        status,
        updated_at: new Date(updatedAt).toISOString(),
      })),
    approvals: async () =>
      approvals
        .list({ profile: owner.profile, ...(owner.sub === undefined ? {} : { sub: owner.sub }) })
        .map(approvalView)
        .reverse(),
    approval: async (id) => {
      const found = find(id);
      return found === undefined ? undefined : approvalView(found);
    },
    cancelApproval: async (id) => {
      if (find(id) === undefined) {
        throw new TradeAgentError('not_found', `there is no approval ${id}`, {
          hint: 'List them with "trade-agent approvals".',
        });
      }
      const { moved, approval } = approvals.move(id, 'cancelled', {
        reason: { code: 'approval_cancelled', text: 'taken back before it was carried out' },
      });
      if (moved) {
        audit.approval('cancelled', approval);
        return approvalView(approval);
      }
      if (approval.status === 'cancelled') return approvalView(approval);
      throw notCancellable(approval);
    },
    close: async () => {
      await parts?.catch(() => undefined);
      if (database.open) database.close();
    },
  };
}

/** The result of a run that found no model. */
function notStarted(thread: string, profile: ResolvedProfile, error: TradeAgentError): RunResult {
  return {
    thread,
    status: 'failed',
    text: '',
    orders: [],
    approvals: [],
    usage: { model: profile.model.name ?? profile.model.provider, input_tokens: 0, output_tokens: 0 },
    error: {
      code: error.code,
      message: error.message,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
    },
  };
}

function notCancellable(approval: Approval): TradeAgentError {
  if (isUnderWay(approval.status)) {
    return new TradeAgentError(
      'outcome_unknown',
      `the order of approval ${approval.id} may be at the broker already`,
      {
        hint: `Run "trade-agent resume ${approval.thread}" to learn what became of it.`,
      },
    );
  }
  const hint =
    isSettled(approval.status) && approval.placed !== undefined
      ? `Cancel the order itself: trade-agent orders cancel ${approval.placed.id}`
      : 'There is nothing left to take back.';
  return new TradeAgentError('usage', `approval ${approval.id} is ${approval.status} already`, { hint });
}

function databaseKey(key: Buffer | string): Buffer {
  const bytes = typeof key === 'string' ? Buffer.from(key, 'hex') : key;
  if (bytes.length === 32) return bytes;
  throw new TradeAgentError('state_corrupt', 'the database key in the credential store is damaged', {
    hint: 'Restore the credential store; the key opens state.db and cannot be made anew.',
  });
}

/** Makes it once; a failure is not kept, so that the next approval can try again. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make().catch((error: unknown) => {
      made = undefined;
      throw error;
    });
    return made;
  };
}
