import { z } from 'zod';
import { TradeAgentError } from '../../errors/errors.ts';
import { CANCEL_SCOPE, READ_SCOPES, type Scope, WATCHLIST_SCOPE } from '../../oauth/scopes.ts';
import { accessRoles } from '../../trading/kinds/access.ts';
import type { PolicyChangeRequest } from '../../trading/kinds/policy-change.ts';
import { mandateIdSchema } from '../../trading/mandate/envelope.ts';
import { mandateViewSchema } from '../../trading/mandate/mandate.ts';
import { watchlistSchema } from '../../trading/market-news.ts';
import type { OrderRequestInput } from '../../trading/order.ts';
import {
  decisionSchema,
  policyChangedSchema,
  policyViewSchema,
  recordedDecisionSchema,
  tradingStates,
} from '../../trading/policy-views.ts';
import type { ProposalRequestInput } from '../../trading/proposal.ts';
import { receiptEntrySchema } from '../../trading/receipt.ts';
import { recordLineSchema, recordVerdictSchema } from '../../trading/record-line.ts';
import { questionToPropose } from '../../trading/relations.ts';
import { defined } from '../../values/defined.ts';
import { type GatewayRequests, parse } from './gateway-requests.ts';

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

const [, PORTFOLIO_READ, ORDERS_READ] = READ_SCOPES;

/** The gateway completes an order from several answers of the broker's. */
const CHECKING_MS = 30_000;

/** What the gateway keeps for the person, beside proposals: access, mandates, rules, halts, the record and its receipts. */
export type KeptRequests = ReturnType<typeof ofKept>;

export function ofKept({ request, read }: GatewayRequests) {
  /** Sends JSON, and reads the answer as the schema has it. */
  const send = async <T>(
    method: 'PUT' | 'POST' | 'PATCH',
    path: string,
    schema: z.ZodType<T>,
    body: unknown,
    scopes: readonly Scope[],
    ms?: number,
  ): Promise<T> => {
    const headers = { accept: 'application/json', 'content-type': 'application/json' };
    return parse(schema, await request(path, { method, headers, body: JSON.stringify(body) }, scopes, ms));
  };
  return {
    /** Takes trading down: to nothing at all, or to what makes positions smaller. */
    halt: (state: 'halted' | 'reducing' = 'halted') =>
      send('PUT', '/v1/halt', haltSchema, { state }, [CANCEL_SCOPE]),
    halted: () => read('/v1/halt', haltSchema, ORDERS_READ),

    /** Who is let at the person's account, and at whose they are. Letting somebody in is a proposal. */
    access: () => read('/v1/access', accessListSchema, ORDERS_READ),
    /** Ends what the person gave or was given. @throws {TradeAgentError} `not_found` */
    async revokeAccess(id: string): Promise<void> {
      if (!/^[A-Za-z0-9_-]{1,64}$/.test(id)) {
        throw new TradeAgentError('not_found', 'that is no access’s id', {
          hint: 'See them with "trade-agent access list".',
        });
      }
      await request(`/v1/access/${id}`, { method: 'DELETE' }, [CANCEL_SCOPE]);
    },

    /** One's own mandates, newest first; making one is a proposal. */
    mandates: async () =>
      (await read('/v1/mandates', z.object({ mandates: z.array(mandateViewSchema) }), ORDERS_READ)).mandates,
    /** @throws {TradeAgentError} `not_found` */
    mandate: (id: string) => read(`/v1/mandates/${mandateId(id)}`, mandateViewSchema, ORDERS_READ),
    /** Harmless to repeat. @throws {TradeAgentError} `not_found`; `usage` where it has ended otherwise */
    async endMandate(id: string, to: 'suspended' | 'revoked') {
      const path = `/v1/mandates/${mandateId(id)}`;
      return parse(
        mandateViewSchema,
        to === 'revoked'
          ? await request(path, { method: 'DELETE' }, [CANCEL_SCOPE])
          : await request(`${path}/suspension`, { method: 'PUT' }, [CANCEL_SCOPE]),
      );
    },

    /** The rules that the account's orders are held to. */
    policy: () => read('/v1/policy', policyViewSchema, ORDERS_READ),
    /**
     * Changes the rules so that less becomes possible, or as much; at once. What loosens them is to be proposed.
     * @throws {TradeAgentError} `blocked` with `details.reason` `APPROVAL_MISSING` where it is looser; `details.problem` is
     *   `rules_stale` where the rules are others than `base`, `rules_unchanged`, or `invalid_policy`, with the line
     */
    changePolicy: (change: PolicyChangeRequest) =>
      send('PUT', '/v1/policy', policyChangedSchema, change, [CANCEL_SCOPE], CHECKING_MS),
    /** What would be decided about an order now; nobody is asked, and nothing is kept. */
    checkPolicy: (order: OrderRequestInput) =>
      send('POST', '/v1/policy/check', decisionSchema, { order }, [ORDERS_READ, PORTFOLIO_READ], CHECKING_MS),
    /** What was decided about the user's orders, newest first. */
    decisions: async ({ effect, limit }: { effect?: 'allow' | 'deny'; limit: number }) =>
      (
        await read(
          `/v1/decisions?${new URLSearchParams({ limit: String(limit), ...defined({ effect }) })}`,
          z.object({ decisions: z.array(recordedDecisionSchema) }),
          ORDERS_READ,
        )
      ).decisions,

    /** The gateway's record of what is one's own, newest first. */
    record: async (limit: number) =>
      (await read(`/v1/record?limit=${limit}`, z.object({ lines: z.array(recordLineSchema) }), ORDERS_READ))
        .lines,
    /** Whether all of it is as it was written, by the gateway's own look at its file. */
    verifyRecord: () => read('/v1/record/verdict', recordVerdictSchema, ORDERS_READ),

    /** The receipts of what the gateway carried out for the user, newest first. */
    receipts: async (limit: number) =>
      (
        await read(
          `/v1/receipts?limit=${limit}`,
          z.object({ receipts: z.array(receiptEntrySchema) }),
          ORDERS_READ,
        )
      ).receipts,
    /**
     * One, as JSON: whether it is a receipt is for who reads it to look at.
     * @param id a proposal's, or an order's `client_order_id`
     * @throws {TradeAgentError} `not_found`
     */
    receipt: (id: string) => request(`/v1/receipts/${encodeURIComponent(id)}`, {}, [ORDERS_READ]),

    /** What the person keeps an eye on, at their broker. */
    watchlist: () => read('/v1/watchlist', watchlistSchema, PORTFOLIO_READ),
    /**
     * Puts symbols on it and takes others off; at most 20 of each. What is there already, or not, changes nothing.
     * @throws {TradeAgentError} `unknown_symbol`; `insufficient_scope` in a session without the right
     */
    changeWatchlist: ({ add = [], remove = [] }: { add?: readonly string[]; remove?: readonly string[] }) =>
      send('PATCH', '/v1/watchlist', watchlistSchema, { add, remove }, [WATCHLIST_SCOPE]),
  };
}

/** A proposal for the owner that a profile is about; what is about no account stays one's own. */
export function inAccountOf(owner: string | undefined, asked: ProposalRequestInput): ProposalRequestInput {
  return questionToPropose[asked.kind] === undefined ? asked : { for: owner, ...asked };
}

function mandateId(id: string): string {
  if (mandateIdSchema.safeParse(id).success) return id;
  throw new TradeAgentError('not_found', 'there is no such mandate of yours', {
    hint: 'List them with "trade-agent mandates".',
  });
}
