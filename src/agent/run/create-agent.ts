import type { BaseCheckpointSaver } from '@langchain/langgraph';
import type { Session } from '../../auth/session/session.ts';
import type { ResolvedProfile } from '../../config/profile.ts';
import { isTradeAgentError, TradeAgentError } from '../../errors/errors.ts';
import { type Clock, systemClock } from '../../machine/clock.ts';
import { failpoint } from '../../machine/failpoint.ts';
import { openStateDatabase } from '../../store/sqlite/state-database.ts';
import { createClosableSqliteStateStores } from '../../store/sqlite/state-stores.ts';
import type { ClosableStateStores, StateStores } from '../../store/state-stores.ts';
import type { Thread } from '../../store/thread-store.ts';
import type { Alerts } from '../../tools/alerts.ts';
import type { ForeignTools } from '../../tools/foreign-tools.ts';
import { type ImportedActivities, withImportedActivities } from '../../tools/gateway/imported-activities.ts';
import type { OwnRules } from '../../tools/own-rules.ts';
import { defined } from '../../values/defined.ts';
import type { Agent, RunOptions } from '../agent.ts';
import type { AgentEvent, ThreadStatus, ThreadView } from '../events.ts';
import { toErrorFacts } from '../graph/error-facts.ts';
import type { ChatModel } from '../model/chat-model.ts';
import { createNotStartedResult } from '../not-started.ts';
import { createApprovals } from './approvals.ts';
import { createLeaseKeeper } from './lease-keeper.ts';
import type { RunnerDeps, RunRequest } from './runner.ts';
import { resolveThreadStatus } from './thread-status.ts';
import { createHolderId, findPrunableThreads, removeThread, requireOwnThread } from './threads.ts';

export interface CreateAgentOptions extends AgentSettings {
  readonly stateDb: string;
  /** Key of the state database: 32 bytes, raw or in hex. */
  readonly databaseKey: Buffer | string;
  /** @internal For tests that watch the database or make it fail. */
  readonly openDatabase?: typeof openStateDatabase;
}

interface AgentSettings {
  readonly profile: ResolvedProfile;
  /** Undefined if nobody is signed in. */
  readonly session: Session | undefined;
  /** Account number to use if a prompt names no account. Defaults to the user's default account. */
  readonly account?: string;
  readonly clock?: Clock;
  readonly readOnly?: boolean;
  /** Whether runs only show what they would propose or change. To store no threads either, pass stores in memory. */
  readonly dryRun?: boolean;
  /** @internal Replaces the profile's model. */
  readonly model?: ChatModel;
  readonly apiKey?: string | undefined;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Other servers' tools, only for language models in runs that are not read-only. The agent closes them. */
  readonly foreign?: ForeignTools | undefined;
  readonly alerts?: Alerts | undefined;
  readonly fetch?: typeof fetch;
  /** @internal Not in the library's published types. */
  readonly ownRules?: OwnRules | undefined;
  /** @internal Not in the library's published types. */
  readonly imported?: ImportedActivities | undefined;
}

/**
 * Creates an agent. Opens the state database immediately; the graph and the model are loaded with the first run,
 * so that listing approvals stays fast.
 * @throws {TradeAgentError} `state_corrupt`, `busy`
 * @example
 * ```ts
 * import type { Session } from '../../auth/session/session.ts';
 * import type { ResolvedProfile } from '../../config/profile.ts';
 * import { createAgent } from './create-agent.ts';
 *
 * export async function ask(profile: ResolvedProfile, session: Session, databaseKey: Buffer): Promise<void> {
 *   const agent = await createAgent({ profile, session, stateDb: 'state.db', databaseKey });
 *   // Ends the run, not the proposal, which is still executed if it is approved later.
 *   const signal = AbortSignal.timeout(10 * 60_000);
 *   for await (const event of agent.run({ prompt: 'buy 5 AAPL limit 180' }, { approval: 'wait', signal })) {
 *     if (event.type === 'approval') console.log(event.approval.status, event.approval.code);
 *     if (event.type === 'result') console.log(event.result.status, event.result.text);
 *   }
 *   await agent.close();
 * }
 * ```
 */
export async function createAgent(options: CreateAgentOptions): Promise<Agent> {
  const key = requireDatabaseKey(options.databaseKey);
  return createAgentOnStores(
    createClosableSqliteStateStores((options.openDatabase ?? openStateDatabase)(options.stateDb, key)),
    options,
  );
}

/** Creates an agent that uses these state stores. Closing the agent closes the stores. */
export function createAgentOnStores(state: ClosableStateStores, options: AgentSettings): Agent {
  const { profile, session, clock = systemClock } = options;
  const { stores } = state;
  const { threads, proposals } = stores;
  const owner = { profile: profile.name, sub: session?.user.sub };
  const approvals = createApprovals({ proposals, threads, session, owner, clock });

  let parts: Promise<RunnerDeps> | undefined;
  async function* start(request: RunRequest, runOptions: RunOptions): AsyncGenerator<AgentEvent, void, undefined> {
    const thread = 'resume' in request ? request.resume : (request.thread ?? '');
    let loaded: RunnerDeps;
    try {
      parts ??= loadRunnerDeps(options, stores, clock);
      loaded = await parts;
    } catch (error) {
      // A failed load is not cached, because the next run may succeed, for example after an API key is set.
      parts = undefined;
      if (!isTradeAgentError(error)) throw error;
      yield {
        type: 'result',
        result: createNotStartedResult(thread, profile.model.name ?? profile.model.provider, toErrorFacts(error)),
      };
      return;
    }
    const { runRequest } = await import('./runner.ts');
    yield* runRequest(loaded, request, runOptions);
  }

  const currentStatus = async (thread: Thread): Promise<ThreadStatus> =>
    await resolveThreadStatus(
      thread,
      () => proposals.byThread(thread.id),
      async () => {
        const { readLatestPromptNumber } = await import('./thread-record.ts');
        return await readLatestPromptNumber(stores, thread.id);
      },
    );
  const remove = (thread: Thread): Promise<void> => removeThread(stores, thread.id, clock);

  return {
    run: (input, runOptions) => start(input, runOptions),
    resume: (thread, runOptions) => start({ resume: thread }, runOptions),
    threads: async ({ asKept = false } = {}) => {
      const listed = await threads.list(owner);
      // Updates the states of proposals that the gateway may have executed since their runs ended.
      if (!asKept && listed.some(({ status }) => status === 'pending')) await approvals.list();
      return await Promise.all(
        listed.map(async (thread) => ({ ...threadView(thread), status: await currentStatus(thread) })),
      );
    },
    thread: async (id, { asKept = false } = {}) => {
      const found = await requireOwnThread(threads, id, owner);
      const { readConversation } = await import('./thread-record.ts');
      return {
        ...threadView(found),
        messages: await readConversation(stores, id),
        approvals: await (asKept ? approvals.keptByThread(id) : approvals.byThread(id)),
        status: await currentStatus(found),
      };
    },
    deleteThread: async (id) => {
      const thread = await requireOwnThread(threads, id, owner);
      await approvals.byThread(id);
      await remove(thread);
      state.reclaimSpace();
    },
    pruneThreads: async (pruning) => {
      await approvals.refresh();
      const chosen = await findPrunableThreads(proposals, await threads.list(owner), pruning, clock.now());
      if (pruning.dryRun) return chosen.map(({ id }) => id);
      const removed: string[] = [];
      for (const thread of chosen) if (await removeUnlessInUse(() => remove(thread))) removed.push(thread.id);
      state.reclaimSpace();
      return removed;
    },
    approvals: () => approvals.list(),
    approval: (id) => approvals.get(id),
    cancelApproval: (id) => approvals.cancel(id),
    reconcile: (id) => approvals.reconcile(id),
    close: async () => {
      await parts?.catch(() => undefined);
      await options.foreign?.close();
      await state.close();
    },
  };
}

/** Loads everything except the database. @throws {TradeAgentError} `invalid_config` for a model without a key */
async function loadRunnerDeps(
  { profile, session, readOnly = false, dryRun = false, ...options }: AgentSettings,
  stores: StateStores,
  clock: Clock,
): Promise<RunnerDeps> {
  const { threads, proposals } = stores;
  const inAccount = defined({ account: options.account });
  disableTracing();
  const [{ createChatModel }, { tools }, { createGatewayClient }] = await Promise.all([
    import('../model/create-chat-model.ts'),
    import('../../tools/catalog.ts'),
    import('../../tools/gateway/gateway-client.ts'),
    // Loads the checkpoint store's modules concurrently, although the result is not used here.
    stores.history(),
  ]);
  // The planner uses only known tools, and a foreign tool may do more than read.
  const foreign = profile.model.provider === 'builtin' || readOnly || dryRun ? undefined : options.foreign;
  const model =
    options.model ??
    (await createChatModel({
      settings: profile.model,
      tools: readOnly ? tools.filter((tool) => tool.risk === 'read') : tools,
      foreign,
      clock,
      apiKey: options.apiKey,
      env: options.env ?? process.env,
      ...defined({ fetch: options.fetch }),
    }));
  const holder = createHolderId();
  return {
    threads,
    leases: createLeaseKeeper(threads, clock, holder),
    holder,
    saverFor: async (guard) => {
      const saver = await stores.history(guard);
      if (process.env.TRADE_AGENT_BUILD === 'test') watchCheckpoints(saver);
      return saver;
    },
    environment: {
      profile,
      session,
      model,
      foreign,
      alerts: options.alerts,
      ownRules: options.ownRules,
      proposals,
      clock,
      readOnly,
      dryRun,
      proposing: session === undefined || dryRun ? undefined : createGatewayClient(session, inAccount),
      gatewayFor: (signal) => {
        if (session === undefined) return undefined;
        const gateway = createGatewayClient(session, { signal, ...inAccount });
        return options.imported === undefined ? gateway : withImportedActivities(gateway, options.imported);
      },
    },
  };
}

function threadView({ id, title, status, updatedAt }: Thread): ThreadView {
  return { thread: id, prompt: title, status, updated_at: new Date(updatedAt).toISOString() };
}

/** Calls `remove`. Returns false if the thread can't be removed because a run has just resumed it. */
async function removeUnlessInUse(remove: () => Promise<void>): Promise<boolean> {
  try {
    await remove();
    return true;
  } catch (error) {
    if (isTradeAgentError(error) && ['busy', 'approval_pending', 'outcome_unknown'].includes(error.code)) return false;
    throw error;
  }
}

function requireDatabaseKey(key: Buffer | string): Buffer {
  const bytes = typeof key === 'string' ? Buffer.from(key, 'hex') : key;
  if (bytes.length === 32) return bytes;
  throw new TradeAgentError('state_corrupt', 'the database key in the credential store is damaged', {
    hint: 'Restore the credential store; the key opens state.db and cannot be recreated.',
  });
}

/** Adds points before and after the storing of each checkpoint, at which tests can make the process crash. */
function watchCheckpoints(saver: BaseCheckpointSaver): void {
  const put = saver.put.bind(saver);
  saver.put = async (...checkpoint) => {
    failpoint('checkpoint.before');
    const config = await put(...checkpoint);
    failpoint('checkpoint.stored');
    return config;
  };
}

/** Environment variables that each make LangChain send all prompts and tool results to a tracing service. */
const tracingSwitches = [
  'LANGSMITH_TRACING_V2',
  'LANGCHAIN_TRACING_V2',
  'LANGSMITH_TRACING',
  'LANGCHAIN_TRACING',
] as const;

/** Turns off tracing. A person who set such a variable for another program did not agree to share account data. */
function disableTracing(env: NodeJS.ProcessEnv = process.env): void {
  for (const name of tracingSwitches) delete env[name];
}
