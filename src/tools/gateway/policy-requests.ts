import { z } from 'zod';
import { CANCEL_SCOPE, READ_SCOPES } from '../../oauth/scopes.ts';
import type { PolicyChangeRequest } from '../../trading/kinds/policy-change.ts';
import type { OrderRequestInput } from '../../trading/order.ts';
import {
  type DecisionView,
  decisionSchema,
  type PolicyChangedView,
  type PolicyView,
  policyChangedSchema,
  policyViewSchema,
  type RecordedDecision,
  recordedDecisionSchema,
} from '../../trading/policy-views.ts';
import { defined } from '../../values/defined.ts';
import { type GatewayRequests, parse } from './gateway-requests.ts';

/** The owner's rules, at the gateway. */
export interface PolicyClient {
  /** The rules that the account's orders are held to. */
  policy(): Promise<PolicyView>;
  /**
   * Changes the rules so that less becomes possible, or as much; at once. What loosens them is to be proposed.
   * @throws {TradeAgentError} `blocked` with `details.reason` `APPROVAL_MISSING` where it is looser; `details.problem` is
   *   `rules_stale` where the rules are others than `base`, `rules_unchanged`, or `invalid_policy`, with the line
   */
  changePolicy(change: PolicyChangeRequest): Promise<PolicyChangedView>;
  /** What would be decided about an order now; nobody is asked, and nothing is kept. */
  checkPolicy(order: OrderRequestInput): Promise<DecisionView>;
  /** What was decided about the user's orders, newest first. */
  decisions(query: { effect?: 'allow' | 'deny'; limit: number }): Promise<RecordedDecision[]>;
}

const [, PORTFOLIO_READ, ORDERS_READ] = READ_SCOPES;

/** The gateway completes an order from several answers of the broker's. */
const CHECKING_MS = 30_000;

const jsonHeaders = { accept: 'application/json', 'content-type': 'application/json' };

export function ofPolicy({ request, read }: GatewayRequests): PolicyClient {
  return {
    policy: () => read('/v1/policy', policyViewSchema, ORDERS_READ),
    changePolicy: async (change) =>
      parse(
        policyChangedSchema,
        await request(
          '/v1/policy',
          { method: 'PUT', headers: jsonHeaders, body: JSON.stringify(change) },
          [CANCEL_SCOPE],
          CHECKING_MS,
        ),
      ),
    checkPolicy: async (order) =>
      parse(
        decisionSchema,
        await request(
          '/v1/policy/check',
          { method: 'POST', headers: jsonHeaders, body: JSON.stringify({ order }) },
          [ORDERS_READ, PORTFOLIO_READ],
          CHECKING_MS,
        ),
      ),
    decisions: async ({ effect, limit }) =>
      (
        await read(
          `/v1/decisions?${new URLSearchParams({ limit: String(limit), ...defined({ effect }) })}`,
          z.object({ decisions: z.array(recordedDecisionSchema) }),
          ORDERS_READ,
        )
      ).decisions,
  };
}
