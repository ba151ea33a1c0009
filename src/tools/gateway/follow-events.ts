import type { Clock } from '../../machine/clock.ts';
import type { Proposal } from '../../trading/proposal.ts';
import type { EventRequests } from './event-requests.ts';

interface FollowEventsOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly changed: (proposal: Proposal) => void;
  /** Called with true once the stream is up to date, and with false when the connection is lost. */
  readonly onLive?: (live: boolean) => void;
}

/**
 * Follows the gateway's events until `signal` aborts, without gaps or repeats across reconnects.
 * @throws {TradeAgentError} a permanent refusal, such as `login_required`
 */
export async function followEvents(
  gateway: EventRequests,
  { clock, signal, changed, onLive = () => undefined }: FollowEventsOptions,
): Promise<void> {
  const { streamWithReconnects } = await import('./event-stream.ts');
  const events = streamWithReconnects((until, after) => gateway.events(until, after), {
    clock,
    signal,
    lost: () => onLive(false),
  });
  for await (const event of events) {
    if (event.type === 'alive') onLive(true);
    else changed(event.proposal);
  }
}
