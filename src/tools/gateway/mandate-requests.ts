import { z } from 'zod';
import { TradeAgentError } from '../../errors/errors.ts';
import { CANCEL_SCOPE, READ_SCOPES } from '../../oauth/scopes.ts';
import { mandateIdSchema } from '../../trading/mandate/envelope.ts';
import { type MandateView, mandateViewSchema } from '../../trading/mandate/mandate.ts';
import { type GatewayRequests, parse } from './gateway-requests.ts';

const [, , ORDERS_READ] = READ_SCOPES;

/** One's own mandates, to look at and to take back; making one is a proposal. */
export interface MandateRequests {
  /** Newest first. */
  mandates(): Promise<MandateView[]>;
  /** @throws {TradeAgentError} `not_found` */
  mandate(id: string): Promise<MandateView>;
  /** Harmless to repeat. @throws {TradeAgentError} `not_found`; `usage` where it has ended otherwise */
  endMandate(id: string, to: 'suspended' | 'revoked'): Promise<MandateView>;
}

export function ofMandates({ request, read }: GatewayRequests): MandateRequests {
  return {
    mandates: async () =>
      (await read('/v1/mandates', z.object({ mandates: z.array(mandateViewSchema) }), ORDERS_READ)).mandates,
    mandate: (id) => read(`/v1/mandates/${mandateId(id)}`, mandateViewSchema, ORDERS_READ),
    endMandate: async (id, to) => {
      const path = `/v1/mandates/${mandateId(id)}`;
      return parse(
        mandateViewSchema,
        to === 'revoked'
          ? await request(path, { method: 'DELETE' }, [CANCEL_SCOPE])
          : await request(`${path}/suspension`, { method: 'PUT' }, [CANCEL_SCOPE]),
      );
    },
  };
}

function mandateId(id: string): string {
  if (mandateIdSchema.safeParse(id).success) return id;
  throw new TradeAgentError('not_found', 'there is no such mandate of yours', {
    hint: 'List them with "trade-agent mandates".',
  });
}
