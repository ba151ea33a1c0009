import { READ_SCOPES } from '../../oauth/scopes.ts';
import { type Proposal, proposalSchema } from '../../trading/proposal.ts';
import type { GatewayRequests } from './gateway-requests.ts';

const [, , ORDERS_READ] = READ_SCOPES;

/** Something the gateway tells by itself. */
export type GatewayEvent =
  /** A sign of life; the first says that nothing is missed from now on. `id` goes on from there; an earlier gateway tells none. */
  | { readonly type: 'alive'; readonly id?: string }
  /** A proposal as it stands now: also each fill of what it placed. `id` goes on from there. */
  | { readonly type: 'proposal'; readonly id: string; readonly proposal: Proposal };

export type EventRequests = ReturnType<typeof ofEvents>;

/** Longer than any proposal; what does not end by then is no event of ours. */
const LONGEST_EVENT = 1_000_000;

export function ofEvents({ open }: GatewayRequests) {
  return {
    /**
     * What changes, as it does: one stream (`GET /v1/events`), which ends with its token or its connection.
     * `followEvents` goes on after that.
     * @param lastEventId the `id` of the last event seen: what changed since comes first
     * @throws {TradeAgentError} the refusal; `gateway_unreachable`
     */
    async *events(until: AbortSignal, lastEventId?: string): AsyncIterable<GatewayEvent> {
      const { streamMessages } = await import('./event-stream.ts');
      const headers: Record<string, string> =
        lastEventId === undefined ? {} : { 'last-event-id': lastEventId };
      const body = await open('/v1/events', headers, ORDERS_READ, until);
      for await (const message of streamMessages(body, LONGEST_EVENT)) {
        if (message.comment) yield { type: 'alive' };
        else if (message.event === 'alive') yield { type: 'alive', id: message.id };
        else if (message.event === 'proposal') {
          const proposal = proposalIn(message.data);
          if (proposal !== undefined) yield { type: 'proposal', id: message.id, proposal };
        }
      }
    },
  };
}

/** One of a kind that this version does not know is passed over. */
function proposalIn(data: string): Proposal | undefined {
  try {
    return proposalSchema.safeParse(JSON.parse(data)).data;
  } catch {
    return undefined;
  }
}
