import type { Clock } from '../../machine/clock.ts';
import type { Proposal } from '../../trading/proposal.ts';
import type { EventRequests } from './event-requests.ts';

interface FollowEventsOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly changed: (proposal: Proposal) => void;
  /** Whether what is shown is up to date: true once the stream stands, false when it is lost. */
  readonly standing?: (live: boolean) => void;
}

/**
 * Follows what the gateway tells until `signal` aborts, or the gateway refuses for good: through whatever a stream is lost by,
 * so that nothing is missed and nothing told twice.
 * @throws {TradeAgentError} a refusal that waiting does not mend, such as `login_required`
 */
export async function followEvents(
  gateway: EventRequests,
  { clock, signal, changed, standing = () => undefined }: FollowEventsOptions,
): Promise<void> {
  const { keepUp } = await import('./event-stream.ts');
  const events = keepUp((until, after) => gateway.events(until, after), {
    clock,
    signal,
    lost: () => standing(false),
  });
  for await (const event of events) {
    if (event.type === 'alive') standing(true);
    else changed(event.proposal);
  }
}
