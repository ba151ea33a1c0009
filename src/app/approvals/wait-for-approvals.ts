import type { Agent } from '../../agent/agent.ts';
import type { AgentEvent, ApprovalView } from '../../agent/events.ts';
import { isSettledState } from '../../trading/proposal.ts';
import type { App } from '../app.ts';
import { followRun } from '../run/follow-run.ts';
import { runOptions } from '../run/run.ts';
import { type RunObject, runObject } from '../run/run-report.ts';
import { findApproval } from './approvals.ts';
import type { Asking } from './ask-and-wait.ts';

/** How one approval is waited for. */
export type ApprovalWait =
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
