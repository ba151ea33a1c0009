import Database from 'better-sqlite3-multiple-ciphers';
import { evaluatePolicy } from '../../../src/gateway/policy/decide.ts';
import type { DecisionFacts } from '../../../src/gateway/policy/decision.ts';
import { createStaticRulesSource, limitsSchema } from '../../../src/gateway/policy/rules.ts';
import { findMandateMismatches } from '../../../src/gateway/policy/within-mandate.ts';
import type { OrderClaim } from '../../../src/store/order-journal.ts';
import { createSqliteGatewayStores } from '../../../src/store/sqlite/gateway-stores.ts';
import type { OrderDraft } from '../../../src/trading/order.ts';
import type { Order, Problem } from '../../../src/trading/views.ts';

/** What the process is told: to claim these orders of one account, all at once, within the limits. */
export interface Round {
  readonly limits: unknown;
  readonly now: number;
  readonly orders: readonly {
    readonly draft: OrderDraft;
    readonly facts: Omit<DecisionFacts, 'counted'>;
    /** What becomes of it once it is claimed. */
    readonly fate: 'intent' | 'placed' | 'unknown' | 'rejected';
  }[];
}

/** One of several gateways on one database: their journal, and the decision in its transaction. */
const database = new Database(process.argv[2] ?? '');
const { orders: journal, halts } = createSqliteGatewayStores(database);
// It is the locks that are looked at here, and no power cut.
database.pragma('synchronous = OFF');

async function play({ limits, now, orders }: Round): Promise<string[]> {
  const rules = await createStaticRulesSource(limitsSchema.parse(limits)).current();
  return await Promise.all(
    orders.map(async ({ draft, facts, fate }) => {
      const subject = {
        ...{ sub: 'alice', client: 'client', owner: 'alice', approval: 'tap' as const },
        approvers: ['alice'],
      };
      const claim: OrderClaim = {
        ...{ sub: 'alice', clientOrderId: draft.client_order_id, digest: 'digest', draft },
        approval: { issuer: 'https://issuer.example', jti: draft.client_order_id },
        ...(draft.mandate === undefined ? {} : { mandate: draft.mandate, slot: draft.slot }),
      };
      const outcome = await journal.claim(claim, now, (counted) => {
        const decision = evaluatePolicy(rules, subject, 'place', { ...facts, counted });
        const { mandate } = counted;
        const outside = mandate == null ? [] : findMandateMismatches(mandate, { draft, slot: draft.slot, rules }, now);
        return {
          ...{ sub: 'alice', client: 'client', account: draft.account, action: 'place', stage: 'order' },
          ...{ subjectId: draft.client_order_id, facts: {}, policy: decision.policy },
          reasons: [...decision.reasons, ...outside.map(({ reason }) => reason)],
          texts: [...decision.texts, ...outside.map(({ text }) => text)],
          effect: decision.effect === 'allow' && outside.length === 0 ? 'allow' : 'deny',
        };
      });
      if (outcome !== 'claimed') return outcome;
      if (fate === 'placed') await journal.place(claim, { id: claim.clientOrderId } as Order, now);
      if (fate === 'unknown') await journal.markUnknown(claim, now);
      if (fate === 'rejected') await journal.refuse(claim, { code: 'broker_rejected' } as Problem, now);
      return fate;
    }),
  );
}

process.on('message', (message: Round | { readonly halt: string }) => {
  const work = 'halt' in message ? halts.halt(message.halt, 'client', Date.now()) : play(message);
  work.then(
    (answer) => process.send?.(answer),
    (error: unknown) => process.send?.({ failed: String(error) }),
  );
});
process.send?.('ready');
