import { z } from 'zod';
import { CANCEL_SCOPE, READ_SCOPES } from '../../oauth/scopes.ts';
import { tradingStates } from '../../trading/trading-state.ts';
import { type GatewayRequests, parse } from './gateway-requests.ts';

/** How far trading goes, since when, until when it is so by itself, and by which client or rule; times in RFC 3339. */
const haltSchema = z.lazy(() =>
  z.object({
    halted: z.boolean(),
    halted_at: z.string().optional(),
    state: z.enum(tradingStates),
    since: z.string().optional(),
    until: z.string().optional(),
    by: z.string().optional(),
  }),
);
export type Halt = z.output<typeof haltSchema>;

/** How far trading goes. */
export interface HaltRequests {
  /** Takes trading down: to nothing at all, or to what makes positions smaller. */
  halt(state?: 'halted' | 'reducing'): Promise<Halt>;
  halted(): Promise<Halt>;
}

const [, , ORDERS_READ] = READ_SCOPES;

export function ofHalt({ request, read }: GatewayRequests): HaltRequests {
  return {
    halt: async (state = 'halted') =>
      parse(
        haltSchema,
        await request(
          '/v1/halt',
          {
            method: 'PUT',
            headers: { accept: 'application/json', 'content-type': 'application/json' },
            body: JSON.stringify({ state }),
          },
          [CANCEL_SCOPE],
        ),
      ),
    halted: () => read('/v1/halt', haltSchema, ORDERS_READ),
  };
}
