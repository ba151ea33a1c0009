import { z } from 'zod';
import { runRecordSchema } from '../../schedule/run-record.ts';
import { schedulers } from '../../schedule/scheduler-names.ts';
import { accountEntrySchema } from '../../trading/account-entry.ts';
import { environments, orderRequestSchema } from '../../trading/order.ts';
import { decisionSchema, policyViewSchema, recordedDecisionSchema } from '../../trading/policy-views.ts';
import { recordFaults } from '../../trading/record-line.ts';
import { approval, time, user } from './parts.ts';

const effect = z.enum(['allow', 'ask', 'deny']);
const reasons = z.array(z.string()).describe('CATEGORY_CONDITION each, docs/guide/POLICY.md');
const changes = z.array(z.string()).describe('"looser: …" or "tighter: …" each, what becomes possible first');

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

export const recordResults = {
  'gateway-audit': z.object({
    file: z.string(),
    ok: z.boolean().describe('whether no line was changed, removed or added'),
    lines: z.int().optional().describe('how many there are; absent where one is wrong'),
    line: z.int().optional().describe('the first that is wrong, counted from 1'),
    seq: z.int().optional().describe('the entry that belongs there'),
    what: z
      .enum([...recordFaults, 'kept'])
      .optional()
      .describe(
        'checkpoint, signer, anchor: the line signs something else, by another key, or vouches for nothing; kept: the checkpoint that was named is not in it',
      ),
    signed: z
      .object({
        checkpoints: z.int(),
        last: z.object({ seq: z.int(), day: z.string(), hash: z.string() }).nullable(),
        anchors: z.object({
          count: z.int(),
          unvouched: z.int().describe('by authorities whose certificates lead to none that are trusted'),
          late: z.int().describe('stamped more than three days after the day that they close'),
          last: z.object({ seq: z.int(), time, by: z.string() }).nullable(),
        }),
      })
      .optional(),
  }),
};

const schedule = z.object({
  id: z.string(),
  name: z.string().nullable(),
  profile: z.string(),
  account: z.string().nullable().describe('its number, or all; null: the default one at each run'),
  cron: z.string().nullable().describe('a cron expression, New York time'),
  at: z.string().nullable().describe('open+5m, close-30m: by the broker’s calendar'),
  when_open: z.boolean(),
  check: z.object({
    rules: z.string().nullable(),
    report: z.string().nullable(),
    suggest: z.boolean(),
    buy_only: z.boolean(),
    approval: z.string(),
  }),
  timeout_ms: z.int(),
  with: z.enum([...schedulers, 'server']),
  entry: z
    .enum(['installed', 'missing', 'changed', 'unreadable', 'dry_run', 'kept'])
    .describe('kept: at the server, which needs none'),
  zone: z.string(),
  local_zone: z.string(),
  next: z.array(z.object({ exchange: time, local: time })),
  overdue: time.nullable().describe('a moment that went by while nothing ran'),
  last: runRecordSchema.nullable(),
});

export const scheduleResults = {
  schedule: z.object({
    schedule,
    written: z
      .array(z.object({ file: z.string().nullable().describe('null: the crontab'), text: z.string() }))
      .describe('the exact entry'),
    dry_run: z.boolean(),
  }),
  schedules: z.object({ schedules: z.array(schedule) }),
  'schedule-removed': z.object({ id: z.string(), entry_removed: z.boolean() }),
  'schedule-run': z.object({
    id: z.string(),
    status: z.enum(['not_due', 'ran']),
    next: time.nullable().describe('when it is due next; null where it ran or that is not known'),
    run: runRecordSchema.nullable(),
    check: z.looseObject({ status: z.string() }).nullable().describe('as check --output json prints it'),
    checks: z
      .array(z.looseObject({ status: z.string() }))
      .optional()
      .describe('of a schedule for all accounts, one each'),
  }),
  'schedule-logs': z.object({ runs: z.array(runRecordSchema).describe('newest first') }),
} as const satisfies Record<string, z.ZodObject>;

/** A company's identity provider, and its client there. */
export const companyClient = z.object({ issuer: z.string(), client_id: z.string() });
const companyIssuer = z
  .string()
  .nullable()
  .describe("the issuer of the person's company, where its word lets them in");

export const signInResults = {
  login: z.object({
    user,
    profile: z.string(),
    environment: z.enum(environments),
    company: companyIssuer,
  }),
  'company-key': z.object({
    profile: z.string(),
    company: companyClient,
    key: z.record(z.string(), z.string()).describe('the public half, a JWK (RFC 7517)'),
    home_yaml: z.string().describe('what the home must list'),
  }),
  logout: z.object({
    user: z.object({ sub: z.string(), name: z.string().nullable() }).nullable(),
    revoked: z.boolean().describe('whether the provider has ended the session'),
    unrevoked: z
      .array(z.object({ token: z.enum(['refresh_token', 'access_token']), reason: z.string() }))
      .describe('tokens that may still be good at the provider; all are deleted here'),
    warning: z.string().nullable(),
  }),
  whoami: z.object({
    user,
    profile: z.string(),
    environment: z.enum(environments),
    issuer: z.string(),
    company: companyIssuer,
    verified: z.boolean().describe('whether the provider was asked just now (--verify)'),
    accounts: z.array(accountEntrySchema.unwrap()).nullable().describe('null where the gateway did not say'),
  }),
};
