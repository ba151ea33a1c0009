import type { Agent } from '../../agent/agent.ts';
import type { AgentEvent, ApprovalView } from '../../agent/events.ts';
import { TradeAgentError } from '../../errors/errors.ts';
import { isSettledState } from '../../trading/proposal.ts';
import type { App } from '../app.ts';
import { followRun, type RunObject, runObject, runOptions } from '../run.ts';
import { wholeId } from '../whole-id.ts';
import type { Asking } from './ask-and-wait.ts';

/** All of the user's approvals, newest first. @throws {TradeAgentError} `login_required` */
export async function listApprovals(app: App): Promise<ApprovalView[]> {
  // What is known here without a session is not all that there is.
  await app.requireSession();
  return (await app.agent({})).approvals();
}

/** The id of the approval of which the beginning was typed. @throws {TradeAgentError} `usage` where several begin so */
function approvalIdOf(app: Pick<App, 'agent'>, typed: string): Promise<string> {
  return wholeId(typed, {
    called: 'approvals',
    whole: /^pr_[0-9A-Za-z]{16}$/,
    list: async () => (await (await app.agent({})).approvals()).map(({ id }) => id),
  });
}

/** @param id or its beginning @throws {TradeAgentError} `not_found`, `usage`, `login_required` */
export async function findApproval(app: App, id: string): Promise<ApprovalView> {
  await app.requireSession();
  const approval = await (await app.agent({})).approval(await approvalIdOf(app, id));
  if (approval !== undefined) return approval;
  throw new TradeAgentError('not_found', `there is no approval "${id}"`, {
    hint: 'List them with "trade-agent approvals".',
  });
}

/** Takes an approval back. @throws {TradeAgentError} `not_found`; `usage` for one that ended; `outcome_unknown` for one under way */
export async function cancelApproval(app: App, id: string): Promise<ApprovalView> {
  return (await app.agent({})).cancelApproval(await approvalIdOf(app, id));
}

/** What became of what was on its way. */
interface Reconciled {
  readonly approvals: readonly ApprovalView[];
  /** Those of them that nobody knows the outcome of yet. */
  readonly unknown: number;
}

/** Asks what became of one approval, or of all. @throws {TradeAgentError} `not_found`, `login_required` */
export async function reconcile(app: App, id: string | undefined): Promise<Reconciled> {
  await app.requireSession();
  const whole = id === undefined ? undefined : await approvalIdOf(app, id);
  const approvals = await (await app.agent({})).reconcile(whole);
  const unknown = approvals.filter(({ status }) => status === 'unknown' || status === 'executing').length;
  return { approvals, unknown };
}

/** How one approval is waited for. */
type ApprovalWait =
  /** With its thread, which hears what became of it: what happens, event by event. */
  | { readonly kind: 'run'; readonly events: AsyncIterable<AgentEvent> }
  /** By itself, since another client or another machine proposed it. */
  | {
      readonly kind: 'approval';
      /** @throws {TradeAgentError} what stands for its end, where nothing came of it */
      readonly follow: (asking: Asking) => Promise<ApprovalView>;
    };

/** Waits for one approval, and goes on with its thread. @throws {TradeAgentError} `not_found`, `login_required` */
export async function waitForApproval(app: App, typed: string): Promise<ApprovalWait> {
  const agent = await app.agent({});
  const { id, thread } = await findApproval(app, typed);
  if (thread !== '')
    return { kind: 'run', events: agent.resume(thread, runOptions(app, { approval: 'wait' })) };
  return {
    kind: 'approval',
    follow: async (asking) => {
      const { waitUntilOver } = await import('./ask-and-wait.ts');
      await waitUntilOver(app, await (await app.gateway()).proposal(id), asking);
      return findApproval(app, id);
    },
  };
}

/**
 * Waits for several approvals and goes on with their threads, all at once, so that each conversation hears what became
 * of its own. One that has no thread here is for the client to follow that proposed it.
 * @param ids which ones; without any, all that are open
 * @param show is given the events of each thread but its result
 */
export async function waitForApprovals(
  app: App,
  ids: readonly string[],
  show: (thread: string, event: AgentEvent) => void,
): Promise<RunObject[]> {
  const agent = await app.agent({});
  const approvals: ApprovalView[] = [];
  if (ids.length === 0)
    approvals.push(...(await agent.approvals()).filter(({ status }) => !isSettledState(status)));
  else for (const id of ids) approvals.push(await findApproval(app, id));
  const threads = new Set(approvals.map(({ thread }) => thread).filter((thread) => thread !== ''));
  return await Promise.all([...threads].map((thread) => goOn(app, agent, thread, show)));
}

async function goOn(
  app: App,
  agent: Agent,
  thread: string,
  show: (thread: string, event: AgentEvent) => void,
): Promise<RunObject> {
  const events = agent.resume(thread, runOptions(app, { approval: 'wait' }));
  const result = await followRun(events, app.signal, (event) => show(thread, event), thread);
  return runObject(result, app.chosenBy);
}
