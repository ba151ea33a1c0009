import { z } from 'zod';
import { TradeAgentError } from '../../errors/errors.ts';
import { CANCEL_SCOPE, READ_SCOPES, WATCHLIST_SCOPE } from '../../oauth/scopes.ts';
import { accessRoles } from '../../trading/kinds/access.ts';
import type { RequestInputOf } from '../../trading/kinds/kinds.ts';
import type { PolicyChangeRequest } from '../../trading/kinds/policy-change.ts';
import { mandateIdSchema } from '../../trading/mandate/envelope.ts';
import { mandateViewSchema } from '../../trading/mandate/mandate.ts';
import { watchlistSchema } from '../../trading/market-news.ts';
import { permissionToPropose } from '../../trading/permissions.ts';
import {
  decisionViewSchema,
  policyChangeViewSchema,
  policyViewSchema,
  recordedDecisionSchema,
  tradingStates,
} from '../../trading/policy-views.ts';
import type { ProposalRequestInput, Provenance } from '../../trading/proposal.ts';
import { receiptEntrySchema } from '../../trading/receipt.ts';
import { recordLineSchema, recordVerdictSchema } from '../../trading/record-line.ts';
import { defined } from '../../values/defined.ts';
import { type GatewayRequests, parseResponseBody, withQuery } from './gateway-requests.ts';

/** Access to an account that its owner gave to someone; times in RFC 3339. */
const accessSchema = z.lazy(() =>
  z.object({
    id: z.string(),
    /** The account's owner. */
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
export type ListedAccess = z.output<typeof accessSchema>;

/** Access that the person gave (`granted`) and received (`given`). `kept`: whether this gateway manages the access. */
const accessListSchema = z.lazy(() =>
  z.object({
    account: z.string(),
    kept: z.enum(['here', 'elsewhere']),
    granted: z.array(accessSchema),
    given: z.array(accessSchema),
  }),
);

/** The trading state; times in RFC 3339. */
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
export type HaltState = z.output<typeof haltSchema>;

const [, PORTFOLIO_READ, ORDERS_READ] = READ_SCOPES;

/** Timeout for a policy check in milliseconds. The gateway sends several requests to the broker during a check. */
const CHECK_TIMEOUT_MS = 30_000;

export type SafeguardRequests = ReturnType<typeof createSafeguardRequests>;

export function createSafeguardRequests({ request, read, list, send, account }: GatewayRequests) {
  return {
    halt: (state: 'halted' | 'reducing' = 'halted') =>
      send('PUT', '/v1/halt', haltSchema, { body: { state }, scopes: [CANCEL_SCOPE] }),
    halted: () => read('/v1/halt', haltSchema, ORDERS_READ),

    access: () => read('/v1/access', accessListSchema, ORDERS_READ),
    /** Revokes access. @throws {TradeAgentError} `not_found` */
    async revokeAccess(id: string): Promise<void> {
      if (!/^[A-Za-z0-9_-]{1,64}$/.test(id)) {
        throw new TradeAgentError('not_found', 'that is not an access ID', {
          hint: 'List the IDs with "trade-agent access list".',
        });
      }
      await request(`/v1/access/${id}`, { method: 'DELETE' }, [CANCEL_SCOPE]);
    },

    /** Returns mandates, newest first. */
    mandates: () => list('/v1/mandates', 'mandates', mandateViewSchema, ORDERS_READ),
    mandate: (id: string) => read(`/v1/mandates/${requireMandateId(id)}`, mandateViewSchema, ORDERS_READ),
    /**
     * Suspends or revokes a mandate; idempotent.
     * @throws {TradeAgentError} `not_found`; `usage` if the mandate has already ended in another way
     */
    async endMandate(id: string, to: 'suspended' | 'revoked') {
      const path = `/v1/mandates/${requireMandateId(id)}`;
      return parseResponseBody(
        mandateViewSchema,
        to === 'revoked'
          ? await request(path, { method: 'DELETE' }, [CANCEL_SCOPE])
          : await request(`${path}/suspension`, { method: 'PUT' }, [CANCEL_SCOPE]),
      );
    },

    policy: () => read('/v1/policy', policyViewSchema, ORDERS_READ),
    /**
     * Tightens the rules immediately. Looser rules must be proposed instead.
     * @throws {TradeAgentError} `blocked` with `details.reason` `APPROVAL_MISSING` if the change loosens a rule;
     * `details.problem` is `rules_unchanged`, `rules_stale` (`base` is outdated) or `invalid_policy` (names the line)
     */
    changePolicy: (change: PolicyChangeRequest) =>
      send('PUT', '/v1/policy', policyChangeViewSchema, {
        body: change,
        scopes: [CANCEL_SCOPE],
        ms: CHECK_TIMEOUT_MS,
      }),
    /** Checks an order against the policy without storing anything. */
    checkPolicy: (order: RequestInputOf<'order'>, provenance?: Provenance) =>
      send('POST', '/v1/policy/check', decisionViewSchema, {
        body: { order: { ...defined({ account }), ...order }, ...defined({ provenance }) },
        scopes: [ORDERS_READ, PORTFOLIO_READ],
        ms: CHECK_TIMEOUT_MS,
      }),
    decisions: (query: { effect?: 'allow' | 'deny'; limit: number }) =>
      list(withQuery('/v1/decisions', query), 'decisions', recordedDecisionSchema, ORDERS_READ),

    record: (limit: number) => list(`/v1/record?limit=${limit}`, 'lines', recordLineSchema, ORDERS_READ),
    verifyRecord: () => read('/v1/record/verdict', recordVerdictSchema, ORDERS_READ),

    receipts: (limit: number) => list(`/v1/receipts?limit=${limit}`, 'receipts', receiptEntrySchema, ORDERS_READ),
    /**
     * Returns a receipt as unvalidated JSON, which the caller has to verify.
     * @param id a proposal's ID or an order's `client_order_id`
     * @throws {TradeAgentError} `not_found`
     */
    receipt: (id: string) => request(`/v1/receipts/${encodeURIComponent(id)}`, {}, [ORDERS_READ]),

    watchlist: () => read('/v1/watchlist', watchlistSchema, PORTFOLIO_READ),
    /**
     * Adds and removes symbols, at most 20 each; idempotent. @throws {TradeAgentError} `unknown_symbol`,
     * `insufficient_scope`
     */
    changeWatchlist: ({ add = [], remove = [] }: { add?: readonly string[]; remove?: readonly string[] }) =>
      send('PATCH', '/v1/watchlist', watchlistSchema, { body: { add, remove }, scopes: [WATCHLIST_SCOPE] }),
  };
}

/** Adds the profile's account owner to a proposal about an account. */
export function withAccountOwner(owner: string | undefined, asked: ProposalRequestInput): ProposalRequestInput {
  return permissionToPropose[asked.kind] === undefined ? asked : { for: owner, ...asked };
}

function requireMandateId(id: string): string {
  if (mandateIdSchema.safeParse(id).success) return id;
  throw new TradeAgentError('not_found', 'you have no such mandate', {
    hint: 'List your mandates with "trade-agent mandates".',
  });
}
