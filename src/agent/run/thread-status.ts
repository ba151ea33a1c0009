import type { Thread, ThreadProposal } from '../../store/thread-store.ts';
import type { ProposalState } from '../../trading/proposal.ts';
import type { RunStatus, ThreadStatus } from '../events.ts';

/** Of several things that went wrong, the one a run is named after. */
export const severity: readonly RunStatus[] = [
  'unknown',
  'pending',
  'failed',
  'blocked',
  'denied',
  'expired',
  'done',
];

/** What a run is that left a proposal in this state. */
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
 * How a thread's latest run ended, with what came of its proposals since: the gateway carries them out without it.
 * @param seen the thread's proposals, as last seen
 * @param latestPrompt reads which prompt the latest run was about
 */
export async function statusSince(
  { status, updatedAt }: Pick<Thread, 'status' | 'updatedAt'>,
  seen: readonly ThreadProposal[],
  latestPrompt: () => Promise<number>,
): Promise<ThreadStatus> {
  if (status !== 'pending') return status;
  // One of an earlier run, which this one did not wait for, says nothing of what this one waits for.
  const since = seen.filter(({ proposal }) => Date.parse(proposal.updated_at) >= updatedAt);
  const open = seen.filter(({ proposal }) => statusOfState[proposal.state] === 'pending');
  const told = [...since, ...open];
  // A run that was cut off late ended after its own proposals did.
  if (told.length === 0 && seen.length > 0) {
    const prompt = await latestPrompt();
    told.push(...seen.filter((one) => one.prompt === prompt));
  }
  const [worst = status] = told
    .map(({ proposal }) => statusOfState[proposal.state])
    .sort((a, b) => severity.indexOf(a) - severity.indexOf(b));
  return worst;
}
