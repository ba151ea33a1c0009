import { z } from 'zod';
import { TradeAgentError } from '../../errors/errors.ts';
import { CANCEL_SCOPE, READ_SCOPES } from '../../oauth/scopes.ts';
import { accessRoles } from '../../trading/kinds/access.ts';
import type { ProposalRequestInput } from '../../trading/proposal.ts';
import { questionToPropose } from '../../trading/relations.ts';
import type { GatewayRequests } from './gateway-requests.ts';

/** What somebody is to somebody's account; times in RFC 3339. */
const accessSchema = z.lazy(() =>
  z.object({
    id: z.string(),
    /** The owner. */
    account: z.string(),
    role: z.enum(accessRoles),
    who: z.string(),
    of: z.string().optional(),
    from: z.string(),
    until: z.string().optional(),
    granted_at: z.string(),
    in_force: z.boolean(),
  }),
);
export type Access = z.output<typeof accessSchema>;

/** `granted` by the person to others, `given` to them by others; nothing where it is kept `elsewhere`. */
const accessListSchema = z.lazy(() =>
  z.object({
    account: z.string(),
    kept: z.enum(['here', 'elsewhere']),
    granted: z.array(accessSchema),
    given: z.array(accessSchema),
  }),
);
export type AccessList = z.output<typeof accessListSchema>;

/** Who stands how to the person's account. Letting somebody in is a proposal. */
export interface AccessRequests {
  /** Who is let at the person's account, and at whose they are. */
  access(): Promise<AccessList>;
  /** Ends what the person gave or was given. @throws {TradeAgentError} `not_found` */
  revokeAccess(id: string): Promise<void>;
}

/** A proposal for the owner that a profile is about; what is about no account stays one's own. */
export function inAccountOf(owner: string | undefined, asked: ProposalRequestInput): ProposalRequestInput {
  return questionToPropose[asked.kind] === undefined ? asked : { for: owner, ...asked };
}

const [, , ORDERS_READ] = READ_SCOPES;

export function ofAccess({ request, read }: GatewayRequests): AccessRequests {
  return {
    access: () => read('/v1/access', accessListSchema, ORDERS_READ),
    async revokeAccess(id) {
      if (!/^[A-Za-z0-9_-]{1,64}$/.test(id)) {
        throw new TradeAgentError('not_found', 'that is no access’s id', {
          hint: 'See them with "trade-agent access list".',
        });
      }
      await request(`/v1/access/${id}`, { method: 'DELETE' }, [CANCEL_SCOPE]);
    },
  };
}
