import type { ApprovalClient } from '../auth/ciba.ts';
import type { ResolvedProfile } from '../auth/profile.ts';
import type { Session } from '../auth/session.ts';
import type { Clock } from '../trading/clock.ts';
import { systemClock } from '../trading/clock.ts';
import { isTradeAgentError, TradeAgentError } from '../trading/errors.ts';
import type { Agent, RunOptions } from './agent.ts';
import { isSettled, isUnderWay } from './approval-states.ts';
import { type Approval, approvalView, createApprovalStore, isOverdue } from './approval-store.ts';
import { type AuditLog, createAuditLog } from './audit-log.ts';
import type { ChatModel } from './chat-model.ts';
import type { AgentEvent, ApprovalView, RunResult, ThreadView } from './events.ts';
import { newHolder } from './holder.ts';
import { createLeaseKeeper } from './lease-keeper.ts';
import { disableTracing } from './no-tracing.ts';
import type { RunnerParts, RunRequest } from './runner.ts';
import { closeStateDatabase, giveBackSpace, openStateDatabase } from './state-database.ts';
import { prunable, removeThread } from './thread-removal.ts';
import { createThreadStore, type Thread } from './thread-store.ts';
import { createTokenSeal } from './token-seal.ts';
import { createTurnstile } from './turnstile.ts';
import { watchCheckpoints } from './watched-checkpoints.ts';

/** Free pages worth keeping: a thread that goes on uses them at once. */
const SPARE_PAGES = 64;

/**
 * Orders on their way at once: were hundreds approved in one moment, each would wait for all the others, and its
 * requests would time out.
 */
const ORDERS_AT_ONCE = 8;

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
  /** Instead of {@link openStateDatabase}: for a database that is to be watched, or to fail. */
  readonly openDatabase?: typeof openStateDatabase;
  /** Proposes and cancels nothing. */
  readonly readOnly?: boolean;
  /** While it says true, no order is proposed or sent; asked anew for each. Cancelling stays possible. */
  readonly halted?: () => boolean;
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
  const database = (options.openDatabase ?? openStateDatabase)(options.stateDb, key);
  const audit = createAuditLog(options.auditLog, database, clock);
  const approvals = createApprovalStore(database, createTokenSeal(key), clock, audit);
  const threads = createThreadStore(database, clock);
  const owner = { profile: profile.name, sub: session?.user.sub };
  flushLeftovers(audit);

  let parts: Promise<RunnerParts> | undefined;
  const loadParts = async (): Promise<RunnerParts> => {
    disableTracing();
    const [{ HistorySaver }, { chooseModel }, { tools }, { createGatewayClient }] = await Promise.all([
      import('./history-saver.ts'),
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
    const holder = newHolder();
    return {
      threads,
      leases: createLeaseKeeper(threads, clock, holder),
      saverFor: (mayWrite) => {
        const saver = new HistorySaver(database, mayWrite);
        if (process.env.TRADE_AGENT_BUILD === 'test') watchCheckpoints(saver);
        return saver;
      },
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
        halted: options.halted ?? (() => false),
        holder,
        inTurn: createTurnstile(ORDERS_AT_ONCE),
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

  const existing = (id: string): Approval => {
    const approval = find(id);
    if (approval !== undefined) return approval;
    throw new TradeAgentError('not_found', `there is no approval ${id}`, {
      hint: 'List them with "trade-agent approvals".',
    });
  };
  const listed = (approval: Approval): ApprovalView => ({
    ...approvalView(approval),
    ...(isOverdue(approval, clock.now()) ? { overdue: true } : {}),
  });
  const remove = (thread: Thread): void => {
    removeThread(database, thread.id, clock);
    audit.record('thread_deleted', { ...owner, thread: thread.id });
  };

  return {
    run: (input, runOptions) => start(input, runOptions),
    resume: (thread, runOptions) => start({ resume: thread }, runOptions),
    threads: async () => threads.list(owner).map(threadView),
    thread: async (id) => {
      const found = threads.get(id, owner);
      const { readConversation } = await import('./thread-record.ts');
      return {
        ...threadView(found),
        messages: await readConversation(database, id),
        approvals: approvals.list({ profile: owner.profile, thread: id }).map(listed),
      };
    },
    deleteThread: async (id) => {
      remove(threads.get(id, owner));
      giveBackSpace(database);
    },
    pruneThreads: async (pruning) => {
      const chosen = prunable(database, threads.list(owner), pruning, clock.now());
      if (pruning.dryRun) return chosen.map(({ id }) => id);
      const removed = chosen.filter(unlessInUse(remove));
      giveBackSpace(database);
      return removed.map(({ id }) => id);
    },
    approvals: async () =>
      approvals
        .list({ profile: owner.profile, ...(owner.sub === undefined ? {} : { sub: owner.sub }) })
        .map(listed)
        .reverse(),
    approval: async (id) => {
      const found = find(id);
      return found === undefined ? undefined : listed(found);
    },
    cancelApproval: async (id) => {
      existing(id);
      const { moved, approval } = approvals.move(id, 'cancelled', {
        reason: { code: 'approval_cancelled', text: 'taken back before it was carried out' },
      });
      if (moved) {
        audit.flush();
        return approvalView(approval);
      }
      if (approval.status === 'cancelled') return approvalView(approval);
      throw notCancellable(approval);
    },
    reconcile: async (id) => {
      const asked =
        id === undefined
          ? approvals.list({ profile: owner.profile, ...(owner.sub === undefined ? {} : { sub: owner.sub }) })
          : [existing(id)];
      const open = asked.filter(({ status }) => isUnderWay(status));
      if (open.length === 0) return id === undefined ? [] : asked.map(listed);
      const { createGatewayClient } = await import('../tools/gateway-client.ts');
      const { reconcileApprovals } = await import('./reconcile.ts');
      const settled = await reconcileApprovals(
        {
          approvals,
          clock,
          holder: newHolder(),
          orderGateway: session === undefined ? undefined : createGatewayClient(session),
          changed: () => audit.flush(),
          emit: () => undefined,
        },
        open,
      );
      for (const thread of new Set(settled.map((approval) => approval.thread))) {
        const rest = approvals.list({ profile: owner.profile, thread });
        if (!rest.some(({ status }) => isUnderWay(status))) threads.reconciled(thread);
      }
      return settled.map(listed);
    },
    close: async () => {
      await parts?.catch(() => undefined);
      if (!database.open) return;
      giveBackSpace(database, { leave: SPARE_PAGES });
      closeStateDatabase(database);
    },
  };
}

function threadView({ id, title, status, updatedAt }: Thread): ThreadView {
  return { thread: id, prompt: title, status, updated_at: new Date(updatedAt).toISOString() };
}

/** Whether a thread could be removed. One that a run has taken up meanwhile is not finished any more. */
function unlessInUse(remove: (thread: Thread) => void) {
  return (thread: Thread): boolean => {
    try {
      remove(thread);
      return true;
    } catch (error) {
      if (isTradeAgentError(error) && ['busy', 'approval_pending', 'outcome_unknown'].includes(error.code))
        return false;
      throw error;
    }
  };
}

/** The result of a run that found no model. */
function notStarted(thread: string, profile: ResolvedProfile, error: TradeAgentError): RunResult {
  return {
    thread,
    status: 'failed',
    text: '',
    orders: [],
    messages: [],
    approvals: [],
    connections: [],
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
      approval.kind === 'message'
        ? `the message of approval ${approval.id} may be sent already`
        : `the order of approval ${approval.id} may be at the broker already`,
      {
        hint: `Run "trade-agent resume ${approval.thread}" to learn what became of it.`,
      },
    );
  }
  const hint =
    isSettled(approval.status) && approval.kind === 'order' && approval.placed !== undefined
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

/** What a process that died had noted. Where it can't be written, nothing is sent either; reading goes on. */
function flushLeftovers(audit: AuditLog): void {
  try {
    audit.flush();
  } catch {
    // It stays noted.
  }
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
