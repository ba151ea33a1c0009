import { z } from 'zod';
import { runRecordSchema } from '../../schedule/run-record.ts';
import { schedulerNames } from '../../schedule/scheduler-names.ts';
import { accountEntrySchema } from '../../trading/account-entry.ts';
import { environments, orderRequestSchema } from '../../trading/order.ts';
import { decisionViewSchema, policyViewSchema, recordedDecisionSchema } from '../../trading/policy-views.ts';
import { recordFaults } from '../../trading/record-line.ts';
import { approvalViewSchema, signedInUserSchema, timeSchema } from './parts.ts';

const effect = z.enum(['allow', 'ask', 'deny']);
const reasons = z.array(z.string()).describe('reason codes (CATEGORY_CONDITION, see docs/guide/POLICY.md)');
const changes = z.array(z.string()).describe('each starts with "looser:" or "tighter:"; looser ones come first');

export const policyResultSchemas = {
  policy: policyViewSchema.unwrap(),
  'policy-check': decisionViewSchema.unwrap().extend({ order: orderRequestSchema }),
  'policy-set': z.object({
    outcome: z
      .enum(['applied', 'pending', 'unchanged'])
      .describe('pending: the rules take effect once the phone approves'),
    account: z.string(),
    previous: z.string().describe('digest of the previous rules'),
    digest: z.string().describe('digest of the current rules'),
    changes,
    approval: approvalViewSchema.optional().describe('the approval request for the change'),
  }),
  'policy-diff': z.object({
    account: z.string(),
    policy: z.string().describe('digest of the active rules'),
    tighter: z.boolean().describe('true if the change needs no approval'),
    changes,
    replayed: z.int().nullable().describe('number of past orders that were evaluated again; null without --replay'),
    flips: z.array(
      z.object({
        at: z.string(),
        id: z.string().describe('client_order_id'),
        order: z.string(),
        before: z.enum(['allow', 'deny']).describe('decision under the active rules'),
        after: z.enum(['allow', 'deny']),
        reasons,
      }),
    ),
  }),
  'policy-test': z.object({
    ok: z.boolean(),
    policy: z.string().describe('digest of the tested rules'),
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

const rulesVersion = z.string().describe('SHA-256 of the lines of sha256sum for all rule files, by name');

export const recordResultSchemas = {
  'gateway-rules': z.object({
    folder: z.string().nullable().describe('folder with the files; null if the rules are in the database'),
    version: rulesVersion,
    digest: z.string().nullable().describe('digest, as in the output of policy; null if the rules are invalid'),
    problem: z.string().nullable().describe('why nothing can be traded with these rules'),
    files: z.array(z.object({ name: z.string(), digest: z.string().describe('SHA-256 of the text'), bytes: z.int() })),
    exported_to: z.string().nullable(),
  }),
  'gateway-rules-import': z.object({
    outcome: z
      .enum(['imported', 'unchanged', 'not_imported'])
      .describe('not_imported: --dry-run, or the answer to the prompt was no'),
    previous: rulesVersion,
    version: rulesVersion,
    digest: z.string().describe('digest of the new rules, as in the output of policy'),
    changes,
  }),
  'gateway-audit-export': z.object({
    file: z.string(),
    day: z.string().nullable().describe('null: the whole audit log'),
    lines: z.int().describe('number of lines in the file'),
    size: z.int().describe('number of lines of the audit log up to the end of the file'),
  }),
  'gateway-audit': z.object({
    file: z.string().describe('the exported file, or the gateway’s folder'),
    ok: z.boolean().describe('true if no line was changed, removed or added'),
    lines: z.int().optional().describe('number of lines; absent if a line is wrong'),
    pending: z.int().optional().describe('number of lines that are not in the tree yet'),
    line: z.int().optional().describe('number of the first wrong line, counted from 1'),
    what: z
      .enum([...recordFaults, 'kept'])
      .optional()
      .describe(
        'tile: a stored hash is wrong; checkpoint: a signed checkpoint does not match the lines; signer: it was signed with another key; anchor: its timestamp proves nothing; kept: the given checkpoint is not in the audit log',
      ),
    signed: z
      .object({
        checkpoints: z.int(),
        last: z
          .object({
            size: z.int().describe('number of lines'),
            day: z.string().nullable().describe('the day that it closes'),
            checkpoint: z.string().describe('the signed text (C2SP tlog-checkpoint)'),
          })
          .nullable(),
        anchors: z.object({
          count: z.int(),
          unvouched: z.int().describe('timestamps by authorities without a trusted certificate chain'),
          late: z
            .int()
            .describe('timestamps made more than three days after the start of the day that their checkpoint closes'),
          last: z.object({ size: z.int(), time: timeSchema, by: z.string() }).nullable(),
        }),
      })
      .optional(),
  }),
};

const schedule = z.object({
  id: z.string(),
  name: z.string().nullable(),
  profile: z.string(),
  account: z.string().nullable().describe('account number, or all; null: the default account at the time of each run'),
  cron: z.string().nullable().describe('cron expression, in New York time'),
  at: z.string().nullable().describe('open+5m or close-30m, by the broker’s calendar'),
  when_open: z.boolean(),
  check: z.object({
    rules: z.string().nullable(),
    report: z.string().nullable(),
    suggest: z.boolean(),
    buy_only: z.boolean(),
    approval: z.string(),
  }),
  timeout_ms: z.int(),
  with: z.enum([...schedulerNames, 'server']),
  entry: z
    .enum(['installed', 'missing', 'changed', 'unreadable', 'dry_run', 'kept'])
    .describe('kept: stored on the server, so that no crontab entry is needed'),
  zone: z.string(),
  local_zone: z.string(),
  next: z.array(z.object({ exchange: timeSchema, local: timeSchema })),
  overdue: timeSchema.nullable().describe('time of a missed run'),
  last: runRecordSchema.nullable(),
});

export const scheduleResultSchemas = {
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
    next: timeSchema.nullable().describe('next due time; null if the check ran or if the time is unknown'),
    run: runRecordSchema.nullable(),
    check: z.looseObject({ status: z.string() }).nullable().describe('same as the output of check --output json'),
    checks: z
      .array(z.looseObject({ status: z.string() }))
      .optional()
      .describe('for a schedule of all accounts: one check per account'),
  }),
  'schedule-logs': z.object({ runs: z.array(runRecordSchema).describe('newest first') }),
} as const satisfies Record<string, z.ZodObject>;

export const companyClientSchema = z.object({ issuer: z.string(), client_id: z.string() });
const companyIssuer = z.string().nullable().describe("issuer of the person's company, if they sign in through it");

export const signInResultSchemas = {
  login: z.object({
    user: signedInUserSchema,
    profile: z.string(),
    environment: z.enum(environments),
    company: companyIssuer,
  }),
  'company-key': z.object({
    profile: z.string(),
    company: companyClientSchema,
    key: z.record(z.string(), z.string()).describe('public key, as a JWK (RFC 7517)'),
    home_yaml: z.string().describe('entry for home.yaml'),
  }),
  logout: z.object({
    user: z.object({ sub: z.string(), name: z.string().nullable() }).nullable(),
    revoked: z.boolean().describe('true if the provider ended the session'),
    unrevoked: z
      .array(z.object({ token: z.enum(['refresh_token', 'access_token']), reason: z.string() }))
      .describe('tokens that may still be valid at the provider; all are deleted on this machine'),
    warning: z.string().nullable(),
  }),
  whoami: z.object({
    user: signedInUserSchema,
    profile: z.string(),
    environment: z.enum(environments),
    issuer: z.string(),
    company: companyIssuer,
    verified: z.boolean().describe('true if the session was verified with the provider (--verify)'),
    accounts: z.array(accountEntrySchema.unwrap()).nullable().describe('null if the gateway did not answer'),
  }),
};
