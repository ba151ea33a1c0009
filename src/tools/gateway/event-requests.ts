import { READ_SCOPES } from '../../oauth/scopes.ts';
import { type Proposal, proposalSchema } from '../../trading/proposal.ts';
import { parseJson } from '../../values/parse-json.ts';
import type { StreamMessage } from './event-stream.ts';
import type { GatewayRequests } from './gateway-requests.ts';

const [, , ORDERS_READ] = READ_SCOPES;

export type GatewayEvent =
  /** A keep-alive. After the first one, no event is missed. A keep-alive that is sent as a comment line has no `id`. */
  | { readonly type: 'alive'; readonly id?: string }
  /** A proposal's current state. Also sent for each fill of the proposal's order. */
  | { readonly type: 'proposal'; readonly id: string; readonly proposal: Proposal };

export type EventRequests = ReturnType<typeof createEventRequests>;

/** Maximum length of an event in UTF-16 code units. Every proposal is shorter. */
const MAX_EVENT_LENGTH = 1_000_000;

export function createEventRequests({ open }: GatewayRequests) {
  return {
    /**
     * Opens one stream of changes, which ends when its token expires or the connection is lost. `followEvents`
     * reconnects.
     * @param lastEventId resumes after this event
     * @throws {TradeAgentError} the gateway's refusal; `gateway_unreachable`
     */
    async *events(until: AbortSignal, lastEventId?: string): AsyncIterable<GatewayEvent> {
      const { readStreamMessages } = await import('./event-stream.ts');
      const headers: Record<string, string> = lastEventId === undefined ? {} : { 'last-event-id': lastEventId };
      const body = await open('/v1/events', headers, ORDERS_READ, until);
      for await (const message of readStreamMessages(body, MAX_EVENT_LENGTH)) {
        const event = parseGatewayEvent(message);
        if (event !== undefined) yield event;
      }
    },
  };
}

/** Parses an event. Returns undefined for events and proposal kinds that this version does not support. */
function parseGatewayEvent(message: StreamMessage): GatewayEvent | undefined {
  if (message.comment) return { type: 'alive' };
  const { event, id, data } = message;
  if (event === 'alive') return { type: 'alive', id };
  const proposal = event === 'proposal' ? proposalSchema.safeParse(parseJson(data)).data : undefined;
  return proposal && { type: 'proposal', id, proposal };
}
