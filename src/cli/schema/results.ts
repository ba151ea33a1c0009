import { z } from 'zod';
import {
  callDraftSchema,
  threadMessageSchema,
  threadSchema,
  toolDataSchema,
  usageSchema,
} from '../../agent/view-schemas.ts';
import { shells } from '../../app/completion/install.ts';
import { connectionNames } from '../../auth/connections/known-connections.ts';
import { periodActivitiesSchema, tradingDaysSchema } from '../../tools/result-schemas.ts';
import { accountEntrySchema } from '../../trading/account-entry.ts';
import { accessRoles } from '../../trading/kinds/access.ts';
import { kinds } from '../../trading/kinds/kinds.ts';
import { mandateViewSchema } from '../../trading/mandate/mandate.ts';
import { articleSchema, watchlistSchema } from '../../trading/market-news.ts';
import { sentMessageSchema } from '../../trading/message.ts';
import { sides } from '../../trading/order.ts';
import { tradingStates } from '../../trading/policy-views.ts';
import { grantReceiptSchema, receiptEntrySchema, receiptSchema } from '../../trading/receipt.ts';
import {
  accountSchema,
  barSchema,
  clockSchema,
  orderSchema,
  positionSchema,
  quoteSchema,
} from '../../trading/views.ts';
import { portfolioResultSchemas } from './figure-results.ts';
import { homeResultSchemas } from './home-results.ts';
import { mcpResultSchemas } from './mcp-results.ts';
import {
  approvalSummarySchema,
  approvalViewSchema,
  doctorFindingSchema,
  errorSchema,
  orderSummarySchema,
  runStatusSchema,
  timeSchema,
} from './parts.ts';
import {
  companyClientSchema,
  policyResultSchemas,
  recordResultSchemas,
  scheduleResultSchemas,
  signInResultSchemas,
} from './policy-results.ts';
import { profileResultSchemas } from './profile-results.ts';

const receiptResults = {
  receipts: z.object({ receipts: z.array(receiptEntrySchema) }),
  receipt: z.object({
    ok: z.boolean().describe('true if the receipt is valid'),
    receipt: z.union([receiptSchema, grantReceiptSchema]).optional(),
    key: z.string().optional().describe('thumbprint of the gateway’s key (RFC 7638)'),
    phone_keys: z
      .array(z.object({ sub: z.string(), fingerprint: z.string() }))
      .optional()
      .describe('base64url(SHA-256) of the public keys that signed'),
    fault: z.string().optional().describe('why the receipt is invalid'),
    text: z.string().optional(),
    from: z.string().optional().describe('"pinned", or the address where the gateway’s key was fetched'),
  }),
  'receipt-file': z.object({
    id: z.string(),
    file: z.string(),
    key: z.string().describe('thumbprint of the gateway’s key (RFC 7638)'),
  }),
};

const dataResults = {
  clock: clockSchema.unwrap(),
  calendar: tradingDaysSchema,
  news: z.object({
    news: z.array(articleSchema).describe('newest first, as published'),
    simulated: z.boolean(),
  }),
  watchlist: z.object({ watchlist: watchlistSchema }),
  activities: periodActivitiesSchema,
  ...portfolioResultSchemas,
} as const satisfies Record<string, z.ZodObject>;

const alert = z.object({
  name: z.string().describe('name of the rule in the rules file'),
  alert: z
    .object({
      symbol: z.string(),
      above: z.string().exactOptional().describe('dollars per share'),
      below: z.string().exactOptional().describe('dollars per share'),
      rises_by: z.string().exactOptional().describe('daily change with a percent sign: 5%'),
      falls_by: z.string().exactOptional().describe('daily change with a percent sign: 5%'),
    })
    .describe('a symbol and one condition'),
  enabled: z.boolean(),
  snoozed_until: timeSchema.nullable(),
});
const alertDelivery = {
  file: z.string().nullable().describe('the rules file with the alerts; null on a server'),
  looked_at_by: z.array(z.string()).describe('schedules that check the alerts, by name or ID'),
  told_by: z.array(z.string()).describe('notice channels'),
};

const alertResults = {
  alerts: z.object({ alerts: z.array(alert), ...alertDelivery }),
  'alert-added': z.object({
    added: alert,
    is_new: z.boolean().describe('false if the alert already existed'),
    schedule: z.string().nullable().describe('ID of the schedule that was created or changed for it'),
    ...alertDelivery,
  }),
  'alert-removed': z.object({ removed: z.array(alert) }),
} as const satisfies Record<string, z.ZodObject>;

const decimal = z.string().describe('a decimal number, as a string');

const accountFields = {
  account: z.string().optional().describe('account number, if several accounts are listed'),
  broker: z.string().optional().describe('name of the broker in the gateway’s settings'),
  label: z.string().optional().describe('display name of the broker'),
};

const missingAccount = z.object({
  broker: z.string(),
  label: z.string(),
  account: z.string().nullable(),
  message: z.string(),
});

const chart = z.object({
  symbol: z.string(),
  range: z.string().describe('range as requested'),
  bars: z.array(barSchema).describe('oldest first'),
  trades: z
    .array(
      z.object({
        at: timeSchema,
        side: z.enum(sides),
        qty: decimal,
        price: decimal.describe('dollars per share'),
      }),
    )
    .describe('your fills in that range, oldest first'),
  cost: decimal.optional().describe('average cost of the shares held, dollars per share'),
  simulated: z.boolean(),
});

/** The last object that `run`, `resume` and `approvals wait` print. */
const run = z.object({
  thread: z.string(),
  status: runStatusSchema,
  text: z.string().describe('the answer, in Markdown'),
  data: toolDataSchema,
  orders: z.array(orderSummarySchema),
  messages: z.array(sentMessageSchema).describe('messages that were sent'),
  approvals: z.array(approvalSummarySchema),
  connections: z
    .array(z.object({ name: z.string(), command: z.string().describe('shell command that connects it') }))
    .describe('services that must be connected before the run can continue'),
  resume: z.string().describe('shell command that resumes this thread'),
  usage: usageSchema,
  drafts: z
    .array(
      callDraftSchema.extend(
        Object.fromEntries(Object.values(kinds).map(({ name, requestSchema }) => [name, requestSchema.optional()])),
      ),
    )
    .optional()
    .describe('only with --dry-run: what would be proposed or changed without it'),
  error: errorSchema.optional(),
});

const access = z.object({
  id: z.string(),
  account: z.string().describe('owner of the account'),
  role: z.enum(accessRoles),
  who: z.string().describe('a person, or the name of the firm or household'),
  of: z.string().optional().describe('name of the firm or household'),
  from: timeSchema,
  until: timeSchema.optional().describe('absent if the access does not expire'),
  granted_at: timeSchema,
  in_force: z.boolean(),
});

const migrated = z.object({
  from: z.int().describe('previous schema version; 0 if there were no tables'),
  to: z.int().describe('current schema version'),
});
const wrappingKey = z.object({ file: z.string().describe('file with all wrapping keys, newest last') });

/**
 * The output of every command with `--output json`, except the field `schema` ("trade-agent.NAME/1"). Within a version,
 * fields may only be added. scripts/schemas.mjs generates docs/reference/schema/ from this file.
 */
export const resultSchemas = {
  run,
  error: z.object({ error: errorSchema }),
  ...signInResultSchemas,
  connections: z.object({
    connections: z.array(
      z.object({
        name: z.enum(connectionNames),
        label: z.string(),
        provider_name: z.string().describe('name of the connection at the identity provider'),
        connected: z.boolean(),
        scopes: z.array(z.string()).describe('scopes that were granted, or that would be requested'),
        connected_at: timeSchema.nullable(),
      }),
    ),
  }),
  connection: z.object({
    name: z.enum(connectionNames),
    provider_name: z.string(),
    connected: z.literal(true),
    already: z.boolean().describe('true if it was connected before'),
    scopes: z.array(z.string()),
  }),
  'connection-remove': z.object({
    name: z.enum(connectionNames),
    provider_name: z.string(),
    connected: z.literal(false),
    removed: z.boolean().describe('false if it was not connected'),
  }),
  accounts: z.object({ accounts: z.array(accountEntrySchema.unwrap()) }),
  portfolio: z.object({ account: accountSchema, positions: z.array(positionSchema) }),
  portfolios: z.object({
    accounts: z.array(
      z.object({
        broker: z.string().describe('name of the broker in the gateway’s settings'),
        label: z.string(),
        default: z.boolean(),
        account: accountSchema,
        positions: z.array(positionSchema),
      }),
    ),
    missing: z.array(missingAccount).describe('accounts that could not be read and are missing from the totals'),
    totals: z
      .array(z.object({ currency: z.string(), equity: decimal, cash: decimal, day_change: decimal.nullable() }))
      .describe('totals of the accounts read, by currency'),
  }),
  chart,
  web: z.object({
    url: z.string().describe('single-use address that opens the page in a browser on this machine; keep it secret'),
    port: z.int(),
    pid: z.int(),
  }),
  quotes: z.object({
    quotes: z.array(quoteSchema),
    missing: z
      .array(z.object({ symbol: z.string(), message: z.string() }))
      .describe('symbols without a quote; if there are any, the exit code is 3'),
  }),
  orders: z.object({
    orders: z.array(orderSchema.unwrap().extend(accountFields)),
    missing: z.array(missingAccount).describe('with --account all: accounts that could not be read'),
  }),
  'order-outcome': z.object({
    status: runStatusSchema,
    key: z
      .string()
      .nullable()
      .describe('idempotency key for requesting the same order again; null if no approval was requested'),
    approval: approvalSummarySchema.nullable(),
    order: orderSchema.nullable().describe('the order at the broker, once it was sent'),
    error: errorSchema.optional(),
  }),
  checks: z.object({
    checks: z
      .array(z.looseObject({ status: z.string() }))
      .describe('with --account all: one check per account; account includes the broker’s name'),
    missing: z.array(missingAccount).describe('accounts that could not be checked'),
  }),
  order: z.object({ order: orderSchema.unwrap().extend(accountFields) }),
  threads: z.object({ threads: z.array(threadSchema) }),
  thread: z.object({
    thread: threadSchema.extend({
      messages: z.array(threadMessageSchema),
      approvals: z.array(approvalViewSchema),
    }),
  }),
  'deleted-threads': z.object({
    deleted: z.array(z.string()).describe('IDs of the threads'),
    dry_run: z.boolean().optional().describe('true if nothing was deleted'),
  }),
  approvals: z.object({ approvals: z.array(approvalViewSchema) }),
  approval: z.object({ approval: approvalViewSchema }),
  reconciled: z.object({
    approvals: z.array(approvalViewSchema),
    unknown: z.int().describe('number of approvals whose outcome is still unknown'),
  }),
  access: z.object({
    account: z.string().describe('the owner’s subject at the identity provider'),
    kept: z.enum(['here', 'elsewhere']).describe('elsewhere: on the authorization server that the gateway uses'),
    granted: z.array(access).describe('access that the person granted to others'),
    given: z.array(access).describe('access that others granted to the person'),
  }),
  'access-granted': z.object({ access: z.string().describe('ID of the access'), granted_at: timeSchema }),
  'access-revoked': z.object({ access: z.string().describe('ID of the access') }),
  mandates: z.object({ mandates: z.array(mandateViewSchema) }),
  mandate: z.object({ mandate: mandateViewSchema }),
  halt: z.object({
    halted: z.boolean(),
    halted_at: timeSchema.optional(),
    state: z.enum(tradingStates),
    since: timeSchema.optional(),
    until: timeSchema.optional(),
    by: z.string().optional(),
  }),
  runs: z.object({ runs: z.array(run) }),
  'phone-decision': z.object({
    id: z.string(),
    user: z.string(),
    code: z.string(),
    decision: z.enum(['approve', 'deny']),
    details: z.looseObject({ type: z.string(), side: z.enum(sides).optional() }),
    outcome: z
      .object({
        state: z.enum(['executing', 'executed', 'cancelled', 'expired', 'blocked', 'unknown']),
        text: z.string(),
        at: timeSchema,
      })
      .optional()
      .describe('the outcome, if the gateway reported one within seconds of the decision'),
  }),
  'phone-login': z.object({ user: z.string(), user_code: z.string() }),
  'phone-connection': z.object({
    user: z.string(),
    connection: z.string(),
    scopes: z.array(z.string()),
    status: z.enum(['open', 'expired', 'connected', 'denied', 'failed']),
  }),
  'phone-link': z.object({ user: z.string(), url: z.string() }),
  sandbox: z.object({
    issuer: z.string(),
    gateway: z.string(),
    broker: z.string(),
    phone: z.string(),
    company: companyClientSchema.nullable().describe('the users’ company; null without --company'),
    home: z.string(),
    pid: z.int(),
  }),
  gateway: z.object({
    resource: z.string(),
    issuer: z.string(),
    environment: z.enum(['paper', 'live']),
    url: z.string().describe('where it listens'),
    home: z.string(),
    pid: z.int(),
  }),
  server: z.object({
    address: z.string().describe('address for --server on other machines'),
    issuer: z.string(),
    gateway: z.string(),
    tenant: z.string(),
    url: z.string().describe('where it listens'),
    home: z.string(),
    pid: z.int(),
  }),
  worker: z.object({
    gateway: z.string(),
    tenant: z.string(),
    concurrency: z.int().describe('number of concurrent runs'),
    home: z.string(),
    pid: z.int(),
  }),
  'server-key': z.object({
    status: z.enum(['made', 'in_use']),
    file: z.string(),
    jwk: z.record(z.string(), z.string()).describe('the public key (RFC 7517)'),
    pem: z.string(),
  }),
  'server-wrapping-key': wrappingKey,
  'server-rewrap': z.object({ keys: z.int().describe('number of keys') }),
  'server-migrate': migrated,
  'gateway-key': z.object({
    status: z
      .enum(['made', 'in_use', 'waiting', 'rotated', 'rewrapped'])
      .describe('waiting: created with --rotate; register it in addition to the active key'),
    file: z.string().nullable().describe("null: stored wrapped in the gateways' database"),
    jwk: z.record(z.string(), z.string()).describe('the public key (RFC 7517)'),
    pem: z.string(),
    clients: z
      .array(z.looseObject({ client_id: z.string().nullable() }))
      .describe('client metadata to register at the identity provider (RFC 7591)'),
  }),
  'gateway-wrapping-key': wrappingKey,
  ...recordResultSchemas,
  'gateway-recount': z.object({
    orders: z.int().describe('number of orders dated in the future'),
    newest: timeSchema.nullable().describe('latest of those dates'),
  }),
  'gateway-migrate': migrated,
  'gateway-halt': z.object({
    sub: z.string(),
    ended: z.enum(['halted', 'reducing']).describe('state that was lifted'),
    halted_at: timeSchema.describe('start of that state'),
    lifted_at: timeSchema,
    state: z.enum(tradingStates).describe('trading state from now on'),
  }),
  demo: z.object({ audit: z.array(z.looseObject({ at: timeSchema, event: z.string() })) }),
  config: z.object({
    file: z.string(),
    key: z.string().nullable(),
    value: z.unknown().describe('null if the key is not set'),
  }),
  'config-path': z.object({ file: z.string() }),
  'config-edit': z.object({ file: z.string(), changed: z.boolean() }),
  'completion-install': z.object({
    shell: z.enum(shells),
    files: z.array(z.string()).describe('files that were or would be written, or that an entry was removed from'),
    written: z.boolean(),
  }),
  completion: z.object({ shell: z.enum(shells), script: z.string() }),
  models: z.object({
    models: z.array(
      z.object({
        name: z.string().describe('as --model takes it'),
        server: z.string().nullable().describe('host of its server; null for the built-in planner'),
      }),
    ),
  }),
  'model-test': z.object({
    model: z.string(),
    server: z.string().describe('host of its server'),
    tool_calls: z.enum(['native', 'text', 'none']).describe('text: writes calls as text, which are executed too'),
    ms: z.number().int().describe('time until the end of the answer'),
    input_tokens: z.number().int(),
    output_tokens: z.number().int(),
  }),
  doctor: z.object({ ok: z.boolean(), findings: z.array(doctorFindingSchema) }),
  ...dataResults,
  ...profileResultSchemas,
  ...homeResultSchemas,
  ...mcpResultSchemas,
  ...policyResultSchemas,
  ...alertResults,
  ...scheduleResultSchemas,
  ...receiptResults,
} as const satisfies Record<string, z.ZodObject>;
