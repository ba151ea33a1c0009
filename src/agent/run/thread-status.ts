import type { Thread, ThreadProposal } from '../../store/thread-store.ts';
import type { ProposalState } from '../../trading/proposal.ts';
import type { RunStatus, ThreadStatus } from '../events.ts';

/** Statuses, worst first. A run with several outcomes has the worst of their statuses. */
export const statusesBySeverity: readonly RunStatus[] = [
  'unknown',
  'pending',
  'failed',
  'blocked',
  'denied',
  'expired',
  'done',
];

const statusOfState: Record<ProposalState, RunStatus> = {
  drafted: 'pending',
  requested: 'pending',
  approved: 'pending',
  executing: 'unknown',
  unknown: 'unknown',
  executed: 'done',
  denied: 'denied',
  cancelled: 'denied',
  expired: 'expired',
  blocked: 'blocked',
};

/**
 * Returns how a thread's latest run ended, updated with later changes to its proposals.
 * @param latestPrompt reads the number of the latest run's prompt
 */
export async function resolveThreadStatus(
  { status, updatedAt }: Pick<Thread, 'status' | 'updatedAt'>,
  readSeen: () => Promise<readonly ThreadProposal[]>,
  latestPrompt: () => Promise<number>,
): Promise<ThreadStatus> {
  if (status !== 'pending') return status;
  const seen = await readSeen();
  // A proposal that last changed before `updatedAt` belongs to an earlier run.
  const since = seen.filter(({ proposal }) => Date.parse(proposal.updated_at) >= updatedAt);
  const open = seen.filter(({ proposal }) => statusOfState[proposal.state] === 'pending');
  const relevant = [...since, ...open];
  // If the run was killed after all of its proposals had ended, none of them is newer than the run. The latest prompt's
  // proposals then count.
  if (relevant.length === 0 && seen.length > 0) {
    const prompt = await latestPrompt();
    relevant.push(...seen.filter((one) => one.prompt === prompt));
  }
  const [worst = status] = relevant
    .map(({ proposal }) => statusOfState[proposal.state])
    .sort((a, b) => statusesBySeverity.indexOf(a) - statusesBySeverity.indexOf(b));
  return worst;
}
