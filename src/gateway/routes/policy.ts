import { basename } from 'node:path';
import type { Hono } from 'hono';
import { z } from 'zod';
import type { ApprovalKernel } from '../../approval/kernel/kernel.ts';
import type { StoredPolicyDecision } from '../../store/decision-store.ts';
import type { GatewayStores } from '../../store/gateway-stores.ts';
import { order } from '../../trading/kinds/order.ts';
import { policyChange } from '../../trading/kinds/policy-change.ts';
import { provenanceSchema } from '../../trading/proposal.ts';
import { malformedProblem } from '../auth/approved-details.ts';
import type { Authenticator } from '../auth/authenticator.ts';
import type { OpenAccountFor } from '../broker/accounts.ts';
import type { OrderCheck } from '../orders/order-ports.ts';
import { loadCedar } from '../policy/cedar/cedar-engine.ts';
import { parseRules, type RuleText } from '../policy/cedar/rule-text.ts';
import { findRuleAccount } from '../policy/files/next-rules.ts';
import type { PolicyService } from '../policy/files/policy-service.ts';
import type { LoadedRules } from '../policy/files/rules-source.ts';
import { messageDayStart } from '../policy/message-rules.ts';
import type { Rules, RulesSource } from '../policy/rules.ts';
import { accountParameter } from './for-owner.ts';
import { toHaltResponse, toProposer } from './proposals.ts';
import { createGuardedRoutes, limitParameterSchema, parseQuery, readJsonBody, requireNoQuery } from './request.ts';

const decisionsQuery = z.strictObject({
  effect: z.enum(['allow', 'deny']).optional(),
  limit: limitParameterSchema(500, 50),
});

const policyQuery = z.strictObject(accountParameter);

/** The provenance counts only if it is from one of the gateway's own clients, as for a proposal. */
const checkSchema = z.lazy(() =>
  z.strictObject({ order: order.requestSchema, provenance: provenanceSchema.optional() }),
);

interface PolicyRouteOptions {
  readonly rules: RulesSource;
  readonly stores: Pick<GatewayStores, 'orders' | 'messages' | 'halts' | 'decisions'>;
  readonly brokerFor: OpenAccountFor;
  readonly now: () => number;
  readonly policy: PolicyService;
  readonly check: OrderCheck;
  readonly ownClients: readonly string[];
  /** Called after a change, so that the change's line soon gets its position in the audit log. */
  readonly kernel: Pick<ApprovalKernel, 'noted'> | undefined;
}

/** Adds the routes for the rules. Tightening rules needs only `orders:cancel`; loosening them needs a proposal. */
export function addPolicyRoutes(app: Hono, authenticator: Authenticator, options: PolicyRouteOptions): void {
  const at = createGuardedRoutes(app, authenticator);
  const { rules: source, stores, brokerFor, now, policy, check, ownClients, kernel } = options;
  at.get('/v1/decisions', ['orders:read'], async (c, { sub }) => {
    const query = parseQuery(decisionsQuery, c.req.url);
    return c.json({ decisions: (await stores.decisions.list(sub, query)).map(decisionView) });
  });
  at.get('/v1/policy', ['orders:read'], async (c, caller) => {
    const { account: named } = parseQuery(policyQuery, c.req.url);
    const { account, environment } = await (await brokerFor(caller, named)).account();
    const rules = await source.current();
    const { state: _, ...orders } = await stores.orders.usage(caller.sub, account, now());
    const messages = await stores.messages.countSince(caller.sub, messageDayStart(now()));
    const { halted: __, halted_at: ___, ...trading } = toHaltResponse(await stores.halts.current(caller.sub, now()));
    return c.json({
      account,
      environment,
      digest: rules.digest,
      limits: rules.limitsOf(account) ?? {},
      ...(await ruleTextsFor(rules, account)),
      // Hides the detailed problem, because it may be about another account's rules.
      ...((rules.problem ?? rules.limitsProblem?.(account)) === undefined
        ? {}
        : { problem: 'the gateway’s rules are invalid' }),
      trading,
      today: { ...orders, day_messages: messages },
    });
  });
  at.put('/v1/policy', ['orders:cancel'], async (c, caller) => {
    requireNoQuery(c.req.url);
    const request = parsed(policyChange.requestSchema, await readJsonBody(c), 'invalid_policy');
    const change = await policy.tighten(toProposer(caller), request);
    kernel?.noted();
    return c.json(change);
  });
  at.post(
    '/v1/policy/check',
    ['orders:read', 'portfolio:read'],
    async (c, caller) => {
      requireNoQuery(c.req.url);
      const request = parsed(checkSchema, await readJsonBody(c), 'invalid_order');
      const proposer = toProposer(caller);
      const { provenance } = request;
      const isOwn = provenance !== undefined && ownClients.includes(proposer.clientId);
      const origin = isOwn ? { isOtherAgent: false, provenance } : undefined;
      return c.json(await check({ ...proposer, origin }, request.order));
    },
    'reads',
  );
}

function decisionView({ subjectId, at, ...decision }: StoredPolicyDecision) {
  return { ...decision, at: new Date(at).toISOString(), client_order_id: subjectId };
}

function parsed<S extends z.ZodType>(schema: S, body: unknown, code: 'invalid_order' | 'invalid_policy'): z.output<S> {
  const found = schema.safeParse(body);
  if (found.success) return found.data;
  throw malformedProblem(code === 'invalid_order' ? 400 : 422, code, 'it', found.error);
}

type Files = Readonly<Record<string, string>>;

/** Returns the owner's and the firm's rule files without rules about other accounts; empty if the rules are invalid. */
async function ruleTextsFor(
  rules: Rules,
  account: string,
): Promise<{ readonly policies: Files; readonly firm: Files }> {
  const { texts } = (rules as Partial<LoadedRules>).written ?? { texts: [] };
  const engine =
    texts.length === 0 || rules.problem !== undefined ? undefined : await loadCedar().catch(() => undefined);
  if (engine === undefined) return { policies: {}, firm: {} };
  const own = texts.flatMap((text): RuleText[] => {
    const all = parseRules(engine, [text]);
    const left = all.filter(({ form }) => [undefined, account].includes(findRuleAccount(form)));
    if (left.length === all.length) return [text];
    return left.length === 0 ? [] : [{ ...text, text: left.map((rule) => `${rule.text}\n`).join('\n') }];
  });
  const files = (origin: RuleText['origin']) =>
    Object.fromEntries(own.filter((text) => text.origin === origin).map(({ file, text }) => [basename(file), text]));
  return { policies: files('policies'), firm: files('firm') };
}
