import type { Agent } from '../../agent/agent.ts';
import type { AgentEvent, ApprovalView } from '../../agent/events.ts';
import { TradeAgentError } from '../../errors/errors.ts';
import { isSettledState } from '../../trading/proposal.ts';
import type { App } from '../app.ts';
import { resolveIdPrefix } from '../resolve-prefix.ts';
import { followRun, type RunOutput, toRunOptions, toRunOutput } from '../run.ts';
import type { ApprovalListener } from './propose-and-wait.ts';

/** Lists approvals, newest first. @throws {TradeAgentError} `login_required` */
export async function listApprovals(app: App): Promise<ApprovalView[]> {
  // Without a session, the agent lists only some of the approvals.
  await app.requireSession();
  return (await app.agent({})).approvals();
}

/** Completes the prefix of an approval's ID. @throws {TradeAgentError} `usage` for an ambiguous prefix */
function resolveApprovalId(app: Pick<App, 'agent'>, typed: string): Promise<string> {
  return resolveIdPrefix(typed, {
    called: 'approvals',
    whole: /^pr_[0-9A-Za-z]{16}$/,
    list: async () => (await (await app.agent({})).approvals()).map(({ id }) => id),
  });
}

/** Finds an approval by ID or prefix. @throws {TradeAgentError} `not_found`, `usage`, `login_required` */
export async function findApproval(app: App, id: string): Promise<ApprovalView> {
  await app.requireSession();
  const approval = await (await app.agent({})).approval(await resolveApprovalId(app, id));
  if (approval !== undefined) return approval;
  throw new TradeAgentError('not_found', `there is no approval "${id}"`, {
    hint: 'List your proposals with "trade-agent approvals".',
  });
}

/** Cancels an open approval. @throws {TradeAgentError} `not_found`; `usage` if it has ended; `outcome_unknown` */
export async function cancelApproval(app: App, id: string): Promise<ApprovalView> {
  return (await app.agent({})).cancelApproval(await resolveApprovalId(app, id));
}

/**
 * Looks up the outcome of one approval, or of all approvals if `id` is undefined. In the result, `unknown` is the
 * number of outcomes that are still unknown.
 * @throws {TradeAgentError} `not_found`, `login_required`
 */
export async function reconcileApprovals(app: App, id: string | undefined) {
  await app.requireSession();
  const whole = id === undefined ? undefined : await resolveApprovalId(app, id);
  const approvals = await (await app.agent({})).reconcile(whole);
  const unknown = approvals.filter(({ status }) => status === 'unknown' || status === 'executing').length;
  return { approvals, unknown };
}

type ApprovalWait =
  /** The approval's thread was resumed, and emits these events. */
  | { readonly kind: 'run'; readonly events: AsyncIterable<AgentEvent> }
  /** Another client or machine made the proposal, so this machine has no thread for it. */
  | {
      readonly kind: 'approval';
      /** Waits until the proposal is executed. @throws {TradeAgentError} the reason if it was not executed */
      readonly follow: (asking: ApprovalListener) => Promise<ApprovalView>;
    };

/** Returns how to wait for an approval. @throws {TradeAgentError} `not_found`, `login_required` */
export async function waitForApproval(app: App, typed: string): Promise<ApprovalWait> {
  const agent = await app.agent({});
  const { id, thread } = await findApproval(app, typed);
  if (thread !== '') return { kind: 'run', events: agent.resume(thread, toRunOptions(app, { approval: 'wait' })) };
  return {
    kind: 'approval',
    follow: async (asking) => {
      const { waitForOutcome } = await import('./propose-and-wait.ts');
      await waitForOutcome(app, await (await app.gateway()).proposal(id), asking);
      return findApproval(app, id);
    },
  };
}

/**
 * Waits for several approvals at once and resumes their threads. Skips approvals without a thread on this machine,
 * because the client that proposed them resumes their threads.
 * @param ids empty for all open approvals
 * @param show receives each thread's events except its result
 */
export async function waitForApprovals(
  app: App,
  ids: readonly string[],
  show: (thread: string, event: AgentEvent) => void,
): Promise<RunOutput[]> {
  const agent = await app.agent({});
  const approvals: ApprovalView[] = [];
  if (ids.length === 0) approvals.push(...(await agent.approvals()).filter(({ status }) => !isSettledState(status)));
  else for (const id of ids) approvals.push(await findApproval(app, id));
  const threads = new Set(approvals.map(({ thread }) => thread).filter((thread) => thread !== ''));
  return await Promise.all([...threads].map((thread) => resumeThread(app, agent, thread, show)));
}

async function resumeThread(
  app: App,
  agent: Agent,
  thread: string,
  show: (thread: string, event: AgentEvent) => void,
): Promise<RunOutput> {
  const events = agent.resume(thread, toRunOptions(app, { approval: 'wait' }));
  const result = await followRun(events, app.signal, (event) => show(thread, event), thread);
  return toRunOutput(result, app.profileOptions);
}
