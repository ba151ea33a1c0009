import type { Session } from '../../auth/session/session.ts';
import { isTradeAgentError } from '../../errors/errors.ts';
import { loginRequiredError } from '../../errors/login-required.ts';
import type { Clock } from '../../machine/clock.ts';
import type { ThreadProposal, ThreadProposalStore, ThreadStore } from '../../store/thread-store.ts';
import type { GatewayClient } from '../../tools/gateway/gateway-client.ts';
import { isTransientError } from '../../tools/gateway/gateway-problem.ts';
import { isFinalState, isInProgressState, isSettledState, type Proposal } from '../../trading/proposal.ts';
import type { ApprovalView } from '../events.ts';
import { toApprovalView } from '../graph/proposal-view.ts';
import { notCancelableError, withdrawProposal } from './withdraw.ts';

const MAX_LISTED = 200;
/** Maximum number of open approvals, newest first, that are read one by one if the gateway's list lacks them. */
const MAX_SINGLE_REQUESTS = 50;

interface ApprovalDeps {
  readonly proposals: ThreadProposalStore;
  readonly threads: Pick<ThreadStore, 'reconciled'>;
  readonly session: Session | undefined;
  readonly owner: { readonly profile: string; readonly sub: string | undefined };
  readonly clock: Clock;
}

/**
 * Returns functions for the user's approvals that work without a run. They read the approvals from the gateway if they
 * can reach it, and add the threads on this machine.
 */
export function createApprovals({ proposals, threads, session, owner, clock }: ApprovalDeps) {
  const gatewayClient = () => createClient(session);
  /** Lists each local approval once, with its first thread. */
  const own = async (): Promise<ThreadProposal[]> => {
    const byId = new Map<string, ThreadProposal>();
    for (const one of await proposals.list(owner)) if (!byId.has(one.proposal.id)) byId.set(one.proposal.id, one);
    return [...byId.values()];
  };
  const ownOf = async (id: string) => (await own()).find(({ proposal }) => proposal.id === id);

  const seen = async (proposal: Proposal): Promise<ApprovalView> => {
    const known = await proposals.get(proposal.id);
    if (known === undefined) return toApprovalView(proposal, '');
    const { kept } = await proposals.note({ ...known, proposal });
    return toApprovalView(kept.proposal, known.thread);
  };
  const asLastSeen = (known: ThreadProposal): ApprovalView => lastSeenView(known, clock.now());
  const current = async (
    known: ThreadProposal,
    gateway: GatewayClient | undefined,
    isOver = isSettledState,
  ): Promise<ApprovalView> => {
    if (gateway === undefined || isOver(known.proposal.state)) return asLastSeen(known);
    const proposal = await ifReachable(() => fetchProposal(gateway, known.proposal, clock.now()));
    return proposal === undefined ? asLastSeen(known) : await seen(proposal);
  };

  /**
   * Returns the IDs of approvals that are being executed according to the gateway's list or to the local threads. The
   * states in local threads may be outdated.
   */
  const inProgress = async (gateway: GatewayClient): Promise<string[]> => {
    const open = await gateway.proposals({ state: 'open', limit: MAX_LISTED });
    return [...open, ...(await own()).map(({ proposal }) => proposal)]
      .filter(({ state }) => isInProgressState(state))
      .map(({ id }) => id);
  };

  return {
    /** Returns approvals, newest first. */
    async list(): Promise<ApprovalView[]> {
      const gateway = await gatewayClient();
      const answer =
        gateway === undefined
          ? undefined
          : await ifReachable(() => gateway.proposals({ state: 'all', limit: MAX_LISTED }));
      const listed = new Set((answer ?? []).map(({ id }) => id));
      const others = (await own()).filter(({ proposal }) => !listed.has(proposal.id)).reverse();
      const open = others.filter(({ proposal }) => !isSettledState(proposal.state));
      const asked = new Set(answer === undefined ? [] : open.slice(0, MAX_SINGLE_REQUESTS));
      const fromGateway = await Promise.all(
        (answer ?? []).map(async (one) => [one.created_at, await seen(one)] as const),
      );
      const rest = others.map(async (one) => {
        const view = await current(one, asked.has(one) ? gateway : undefined);
        return [one.proposal.created_at, view] as const;
      });
      const views = [...fromGateway, ...(await Promise.all(rest))];
      return views.sort(([a], [b]) => Date.parse(b) - Date.parse(a)).map(([, view]) => view);
    },
    /** Returns a thread's approvals, oldest first. */
    async byThread(thread: string): Promise<ApprovalView[]> {
      const gateway = await gatewayClient();
      return await Promise.all((await proposals.byThread(thread)).map((known) => current(known, gateway)));
    },
    /** Returns a thread's approvals in their stored states, oldest first. */
    async keptByThread(thread: string): Promise<ApprovalView[]> {
      return (await proposals.byThread(thread)).map(({ proposal }) => toApprovalView(proposal, thread));
    },
    async get(id: string): Promise<ApprovalView | undefined> {
      const known = await ownOf(id);
      if (known !== undefined) return current(known, await gatewayClient(), isFinalState);
      const gateway = await gatewayClient();
      if (gateway === undefined) return undefined;
      try {
        return await seen(await gateway.proposal(id));
      } catch (error) {
        if (isTradeAgentError(error) && error.code === 'not_found') return undefined;
        throw error;
      }
    },
    async cancel(id: string): Promise<ApprovalView> {
      const known = await ownOf(id);
      if (known !== undefined && isSettledState(known.proposal.state)) {
        if (known.proposal.state === 'cancelled') return asLastSeen(known);
        throw notCancelableError(known.proposal);
      }
      return seen(await withdrawProposal(await requireClient(session), id));
    },
    async reconcile(id?: string): Promise<ApprovalView[]> {
      const known = id === undefined ? undefined : await ownOf(id);
      if (known !== undefined && isFinalState(known.proposal.state)) return [asLastSeen(known)];
      const gateway = await requireClient(session);
      const settled: ApprovalView[] = [];
      for (const one of new Set(id === undefined ? await inProgress(gateway) : [id])) {
        settled.push(await seen(await gateway.proposal(one)));
      }
      const looked = new Set(settled.map((view) => view.id));
      const shared = (await proposals.list(owner)).filter(({ proposal }) => looked.has(proposal.id));
      for (const thread of new Set(shared.map((one) => one.thread))) {
        const rest = await proposals.byThread(thread);
        if (!rest.some(({ proposal }) => isInProgressState(proposal.state))) await threads.reconciled(thread);
      }
      return settled;
    },
    async refresh(): Promise<void> {
      const gateway = await gatewayClient();
      for (const known of await own()) await current(known, gateway);
    },
  };
}

async function fetchProposal(gateway: GatewayClient, known: Proposal, now: number): Promise<Proposal> {
  try {
    return await gateway.proposal(known.id);
  } catch (error) {
    if (!isTradeAgentError(error) || error.code !== 'not_found') throw error;
    if (!isOverdue(known, now)) return known;
    const reason = {
      code: 'approval_expired',
      text: 'the approval expired, and the gateway no longer has it',
    } as const;
    return { ...known, state: 'expired', reason } as Proposal;
  }
}

function isOverdue({ state, expires_at }: Proposal, now: number): boolean {
  return Date.parse(expires_at) <= now && !isSettledState(state) && !isInProgressState(state);
}

/** Returns the last known state, marked as stale unless it is settled. */
function lastSeenView({ proposal, thread }: ThreadProposal, now: number): ApprovalView {
  const view = toApprovalView(proposal, thread);
  if (isSettledState(proposal.state)) return view;
  return { ...view, stale: true, ...(isOverdue(proposal, now) ? { overdue: true } : {}) };
}

async function createClient(session: Session | undefined): Promise<GatewayClient | undefined> {
  if (session === undefined) return undefined;
  const { createGatewayClient } = await import('../../tools/gateway/gateway-client.ts');
  return createGatewayClient(session);
}

async function requireClient(session: Session | undefined): Promise<GatewayClient> {
  const gateway = await createClient(session);
  if (gateway !== undefined) return gateway;
  throw loginRequiredError();
}

/** Calls `ask`. Returns undefined if the gateway or the session is unavailable. */
async function ifReachable<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    const isSignedOut = isTradeAgentError(error) && error.code === 'login_required';
    if (isSignedOut || isTransientError(error)) return undefined;
    throw error;
  }
}
