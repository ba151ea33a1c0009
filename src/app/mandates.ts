import type { MandateChoice } from '../agent/agent.ts';
import { TradeAgentError } from '../errors/errors.ts';
import { withDefaultStandingOrderLimits } from '../tools/standing-limits.ts';
import { currentSlot } from '../trading/mandate/cadence.ts';
import { type MandateEnvelope, type MandateRequestInput, mandateRequestSchema } from '../trading/mandate/envelope.ts';
import type { MandateView } from '../trading/mandate/mandate.ts';
import { defined } from '../values/defined.ts';
import type { App } from './app.ts';
import type { ApprovalListener } from './approvals/propose-and-wait.ts';
import { resolveIdPrefix } from './resolve-prefix.ts';

function resolveMandateId(app: App, typed: string): Promise<string> {
  return resolveIdPrefix(typed, {
    called: 'mandates',
    whole: /^M-[A-Za-z0-9_-]{10}$/,
    list: async () => (await (await app.gateway()).mandates()).map(({ id }) => id),
  });
}

/** Finds a mandate by ID or prefix. @throws {TradeAgentError} `not_found`, `usage`, `login_required` */
export async function findMandate(app: App, id: string): Promise<MandateView> {
  return await (await app.gateway()).mandate(await resolveMandateId(app, id));
}

/** Suspends or revokes a mandate. @throws {TradeAgentError} `not_found`; `usage` if the mandate has ended */
export async function endMandate(app: App, id: string, to: 'suspended' | 'revoked'): Promise<MandateView> {
  return await (await app.gateway()).endMandate(await resolveMandateId(app, id), to);
}

/** The terms that a person specifies. If `replaces` is set, missing terms are copied from the replaced mandate. */
export type MandateTerms = Partial<MandateRequestInput>;

interface MandateRequest extends MandateTerms {
  /** The requester's name, as shown on the phone. */
  readonly requestedBy?: string;
}

/**
 * Requests a mandate and waits for approval on the phone.
 * @returns the active mandate
 * @throws {TradeAgentError} `usage` if a term is missing, `invalid_order`, or the reason why it was not approved
 */
export async function requestMandate(
  app: App,
  { requestedBy = 'mandates add', ...asked }: MandateRequest,
  asking: () => Promise<ApprovalListener>,
): Promise<MandateView> {
  const gateway = await app.gateway();
  const given = await withDefaultStandingOrderLimits(gateway, app.clock.now(), asked);
  const earlier = given.replaces === undefined ? undefined : (await gateway.mandate(given.replaces)).terms;
  const { environment } = await app.profile();
  const kept = earlier === undefined ? {} : reusableTerms(earlier);
  const mandate = parseTerms({ environment, ...kept, ...given });
  const { proposeAndWait, typedProvenance } = await import('./approvals/propose-and-wait.ts');
  const proposal = await proposeAndWait(
    app,
    {
      kind: 'mandate',
      mandate,
      requested_by: requestedBy,
      provenance: {
        fields: {
          ...computedFields(kept, 'as before'),
          ...computedFields(given, STANDING_SOURCE),
          ...typedProvenance(asked).fields,
        },
      },
    },
    await asking(),
  );
  if (proposal.kind !== 'mandate' || proposal.result === undefined)
    throw new Error('the approved proposal has no mandate');
  return await gateway.mandate(proposal.result.mandate);
}

const STANDING_SOURCE = 'the orders it places';

function computedFields(terms: MandateTerms, from: string) {
  return Object.fromEntries(
    Object.entries(terms).flatMap(([field, value]) =>
      value === undefined ? [] : [[field, { source: 'computed' as const, from }]],
    ),
  );
}

/** Returns the terms that are copied from a replaced mandate: all except its end date. */
function reusableTerms(terms: MandateEnvelope): MandateTerms {
  const { symbols, sides, order_types, times_in_force, max_order_notional, max_day_notional } = terms;
  const { max_total_notional, max_orders, price, max_slippage, cadence, orders_per_slot, standing } = terms;
  return {
    symbols,
    sides,
    order_types,
    times_in_force,
    max_order_notional,
    max_total_notional,
    max_orders,
    max_slippage,
    cadence,
    ...defined({ max_day_notional, price, orders_per_slot, standing }),
  };
}

const options: Readonly<Record<string, string>> = {
  symbols: 'the symbols',
  max_order_notional: '--per-order',
  max_total_notional: '--total',
  max_orders: '--orders',
  expires_at: '--until',
};

function parseTerms(terms: MandateTerms): MandateRequestInput {
  const missing = Object.keys(options).filter((field) => terms[field as keyof MandateTerms] === undefined);
  if (missing.length > 0) {
    throw new TradeAgentError('usage', `a mandate needs ${missing.map((field) => options[field]).join(', ')}`, {
      hint: 'For example: trade-agent mandates add VOO --per-order 200 --total 800 --orders 4 --every week --until 2026-12-20',
    });
  }
  const found = mandateRequestSchema.safeParse(terms);
  if (found.success) return found.data;
  const issue = found.error.issues[0];
  const field = issue?.path.join('.') ?? '';
  throw new TradeAgentError('invalid_order', `${field}: ${issue?.message}`, {
    hint: 'Run "trade-agent mandates add --help" for details.',
    details: { field },
  });
}

/**
 * Returns an account's active mandates, sorted by expiry, except mandates for standing orders. The gateway decides
 * whether a mandate covers an order.
 * @param account the account's number
 * @param due when the run was due, in milliseconds since the epoch, which determines each mandate's current period
 */
export function findApplicableMandates(
  mandates: readonly MandateView[],
  account: string,
  due: number,
): MandateChoice[] {
  return mandates
    .filter(({ state, terms }) => state === 'active' && terms.account === account && terms.standing === undefined)
    .sort((a, b) => Date.parse(a.terms.expires_at) - Date.parse(b.terms.expires_at))
    .map(({ id, terms: { symbols, sides, cadence } }) => {
      const slot = currentSlot(cadence, due);
      return { symbols, sides, mandate: id, ...defined({ slot }) };
    });
}
