import type { ApprovalView } from '../../agent/events.ts';
import { TradeAgentError } from '../../errors/errors.ts';
import type { App } from '../app.ts';
import { wholeId } from '../whole-id.ts';

/** All of the user's approvals, newest first. @throws {TradeAgentError} `login_required` */
export async function listApprovals(app: App): Promise<ApprovalView[]> {
  // What is known here without a session is not all that there is.
  await app.requireSession();
  return (await app.agent({})).approvals();
}

/** The id of the approval of which the beginning was typed. @throws {TradeAgentError} `usage` where several begin so */
export function approvalIdOf(app: Pick<App, 'agent'>, typed: string): Promise<string> {
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
export interface Reconciled {
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
