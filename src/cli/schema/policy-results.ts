import { z } from 'zod';
import { orderRequestSchema } from '../../trading/order.ts';
import { decisionSchema, policyViewSchema, recordedDecisionSchema } from '../../trading/policy-views.ts';
import { approval } from './parts.ts';

const effect = z.enum(['allow', 'ask', 'deny']);
const reasons = z.array(z.string()).describe('CATEGORY_CONDITION each, docs/guide/POLICY.md');
const changes = z.array(z.string()).describe('"looser: …" or "tighter: …" each, what becomes possible first');

/** What the `policy` commands print. */
export const policyResults = {
  policy: policyViewSchema.unwrap(),
  'policy-check': decisionSchema.unwrap().extend({ order: orderRequestSchema }),
  'policy-set': z.object({
    outcome: z
      .enum(['applied', 'pending', 'unchanged'])
      .describe('pending: the rules hold once the phone approves'),
    account: z.string(),
    previous: z.string().describe('digest of the rules before'),
    digest: z.string().describe('of the rules as they are now'),
    changes,
    approval: approval.optional().describe('by which the phone was asked'),
  }),
  'policy-diff': z.object({
    account: z.string(),
    policy: z.string().describe('digest of the rules in force'),
    tighter: z.boolean().describe('whether it takes no tap'),
    changes,
    replayed: z.int().nullable().describe('how many past orders were decided again; null without --replay'),
    flips: z.array(
      z.object({
        at: z.string(),
        id: z.string().describe('client_order_id'),
        order: z.string(),
        before: z.enum(['allow', 'deny']).describe('by the rules in force'),
        after: z.enum(['allow', 'deny']),
        reasons,
      }),
    ),
  }),
  'policy-test': z.object({
    ok: z.boolean(),
    policy: z.string().describe('digest of the rules that they were run against'),
    cases: z.array(
      z.object({
        name: z.string(),
        ok: z.boolean(),
        effect,
        reasons,
        expected: z.object({ effect, reasons: reasons.optional() }),
      }),
    ),
  }),
  'policy-log': z.object({ decisions: z.array(recordedDecisionSchema.unwrap()) }),
};
