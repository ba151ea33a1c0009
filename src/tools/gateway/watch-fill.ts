import type { Clock } from '../../machine/clock.ts';
import { outcomeOrders } from '../../trading/kinds/kind-words.ts';
import { getKindDefinition } from '../../trading/kinds/kinds.ts';
import type { Proposal } from '../../trading/proposal.ts';
import { isFinalStatus } from '../../trading/views.ts';
import type { GatewayClient } from './gateway-client.ts';

const FILL_WAITS_MS = [100, 200, 400, 800, 1_500] as const;

interface WatchOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly changed: (proposal: Proposal) => void | Promise<void>;
}

/** Watches a market order briefly for its fill price. Never throws. */
export async function watchFill(
  gateway: Pick<GatewayClient, 'proposal'>,
  seen: Proposal,
  { clock, signal, changed }: WatchOptions,
): Promise<Proposal> {
  let current = seen;
  for (const pause of FILL_WAITS_MS) {
    if (!isAwaitingFill(current) || signal.aborted) break;
    try {
      const next = await gateway.proposal(current.id, { waitSeconds: 1, since: current.updated_at });
      if (next.updated_at === current.updated_at) await clock.sleep(pause, signal);
      else await changed(next);
      current = next;
    } catch {
      break;
    }
  }
  return current;
}

/** Returns whether a market order is not yet filled. */
export function isAwaitingFill({ kind, subject, result }: Proposal): boolean {
  if ((kind !== 'order' && kind !== 'batch') || result === undefined) return false;
  const drafts = kind === 'order' ? [subject] : subject.orders;
  const atMarket = new Set(drafts.flatMap((draft) => (draft.type === 'market' ? [draft.client_order_id] : [])));
  return outcomeOrders(getKindDefinition(kind).toOutcome(result, subject)).some(
    ({ client_order_id, status }) => atMarket.has(client_order_id) && !isFinalStatus(status),
  );
}
