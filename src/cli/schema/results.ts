import { z } from 'zod';
import { thread, threadMessage, toolData, usage } from '../../agent/view-schemas.ts';
import { shells } from '../../app/completion/install.ts';
import { connectionNames } from '../../auth/connections/known-connections.ts';
import { accountEntrySchema } from '../../trading/account-entry.ts';
import { activitySchema, tradingDaySchema } from '../../trading/activity.ts';
import { accessRoles } from '../../trading/kinds/access.ts';
import { mandateViewSchema } from '../../trading/mandate/mandate.ts';
import { articleSchema, watchlistSchema } from '../../trading/market-news.ts';
import { sentMessageSchema } from '../../trading/message.ts';
import { sides } from '../../trading/order.ts';
import { periods } from '../../trading/period.ts';
import { tradingStates } from '../../trading/policy-views.ts';
import { receiptEntrySchema, receiptSchema } from '../../trading/receipt.ts';
import {
  accountSchema,
  barSchema,
  clockSchema,
  orderSchema,
  positionSchema,
  quoteSchema,
} from '../../trading/views.ts';
import { figureResults } from './figure-results.ts';
import { homeResults } from './home-results.ts';
import { mcpResults } from './mcp-results.ts';
import { approval, approvalSummary, error, finding, orderSummary, runStatus, time } from './parts.ts';
import {
  companyClient,
  policyResults,
  recordResults,
  scheduleResults,
  signInResults,
} from './policy-results.ts';
import { profileResults } from './profile-results.ts';

const receiptResults = {
  receipts: z.object({ receipts: z.array(receiptEntrySchema) }),
  receipt: z.object({
    ok: z.boolean().describe('whether it holds'),
    receipt: receiptSchema.optional(),
    key: z.string().optional().describe('thumbprint of the gateway’s key (RFC 7638)'),
    phone_keys: z
      .array(z.object({ sub: z.string(), fingerprint: z.string() }))
      .optional()
      .describe('base64url(SHA-256) of the public keys that signed'),
    fault: z.string().optional().describe('what of it does not hold'),
    text: z.string().optional(),
    from: z.string().optional().describe('"pinned", or the address that the gateway’s key is from'),
  }),
  'receipt-file': z.object({
    id: z.string(),
    file: z.string(),
    key: z.string().describe('thumbprint of the gateway’s key (RFC 7638)'),
  }),
};

const date = z.string().describe('YYYY-MM-DD, in New York');
const dollars = z.string().describe('dollars, a decimal number; less than nothing for what was paid');

const dataResults = {
  clock: clockSchema.unwrap(),
  calendar: z.object({
    today: date,
    start: date,
    end: date.describe('YYYY-MM-DD, included'),
    time_zone: z.string().describe('of open and close'),
    days: z.array(tradingDaySchema).describe('the days on which the market trades, and no others'),
  }),
  news: z.object({
    news: z.array(articleSchema).describe('the newest first; the publishers’ words'),
    simulated: z.boolean(),
  }),
  watchlist: z.object({ watchlist: watchlistSchema }),
  activities: z.object({
    period: z.enum(periods),
    start: date,
    activities: z.array(activitySchema).describe('newest first'),
    left_out: z.int().optional().describe('how many more there are'),
    totals: z
      .object({ dividends: dollars, interest: dollars, fees: dollars })
      .describe('of the whole period'),
    simulated: z.boolean(),
  }),
  ...figureResults,
} as const satisfies Record<string, z.ZodObject>;

const alert = z.object({
  name: z.string().describe('the rule’s, in the rules file'),
  alert: z
    .object({
      symbol: z.string(),
      above: z.string().exactOptional().describe('dollars a share'),
      below: z.string().exactOptional().describe('dollars a share'),
      rises_by: z.string().exactOptional().describe('of the day, with its sign: 5%'),
      falls_by: z.string().exactOptional().describe('of the day, with its sign: 5%'),
    })
    .describe('a symbol and one condition'),
  enabled: z.boolean(),
  snoozed_until: time.nullable(),
});
const heard = {
  file: z.string().nullable().describe('the rules file that has them; null at a server'),
  looked_at_by: z.array(z.string()).describe('schedules, by name or id'),
  told_by: z.array(z.string()).describe('channels of notices'),
};

const alertResults = {
  alerts: z.object({ alerts: z.array(alert), ...heard }),
  'alert-added': z.object({
    added: alert,
    is_new: z.boolean().describe('false if it already existed'),
    schedule: z.string().nullable().describe('the schedule that was written or changed for it, by id'),
    ...heard,
  }),
  'alert-removed': z.object({ removed: z.array(alert) }),
} as const satisfies Record<string, z.ZodObject>;

const decimal = z.string().describe('a decimal number, never a float');

/** The account of a row, where there are several. */
const ofAccount = {
  account: z.string().optional().describe('its number, where several accounts are looked at'),
  broker: z.string().optional().describe('by its name in the gateway’s settings'),
  label: z.string().optional().describe('what that broker is called'),
};

const missingAccount = z.object({
  broker: z.string(),
  label: z.string(),
  account: z.string().nullable(),
  message: z.string(),
});

const chart = z.object({
  symbol: z.string(),
  range: z.string().describe('how far back, as it was asked for'),
  bars: z.array(barSchema).describe('oldest first'),
  trades: z
    .array(
      z.object({ at: time, side: z.enum(sides), qty: decimal, price: decimal.describe('dollars a share') }),
    )
    .describe('your own fills in that time, oldest first'),
  cost: decimal.optional().describe('what the shares held cost, dollars a share'),
  simulated: z.boolean(),
});

/** The object that ends `run`, `resume` and `approvals wait`. */
const run = z.object({
  thread: z.string(),
  status: runStatus,
  text: z.string().describe('the answer, in Markdown'),
  data: toolData,
  orders: z.array(orderSummary),
  messages: z.array(sentMessageSchema).describe('what was sent'),
  approvals: z.array(approvalSummary),
  connections: z
    .array(z.object({ name: z.string(), command: z.string().describe('the shell command that connects it') }))
    .describe('accounts that must be connected before the run can go on'),
  resume: z.string().describe('the shell command that goes on with this thread'),
  usage,
  error: error.optional(),
});

const access = z.object({
  id: z.string(),
  account: z.string().describe('its owner'),
  role: z.enum(accessRoles),
  who: z.string().describe('a person; for firm and household the name of such'),
  of: z.string().optional().describe('the firm or household'),
  from: time,
  until: time.optional().describe('for good where it is left out'),
  granted_at: time,
  in_force: z.boolean(),
});

const migrated = z.object({
  from: z.int().describe('the version that the tables were of; 0 where there were none'),
  to: z.int().describe('the version that they are of now'),
});
const wrappingKey = z.object({ file: z.string().describe('all wrapping keys, the newest last') });

/**
 * What every command prints under `--output json`, without its `schema` ("trade-agent.NAME/1"). Within a version fields
 * are only added; scripts/schemas.mjs makes docs/reference/schema/ from this file.
 */
export const resultSchemas = {
  run,
  error: z.object({ error }),
  ...signInResults,
  connections: z.object({
    connections: z.array(
      z.object({
        name: z.enum(connectionNames),
        label: z.string(),
        provider_name: z.string().describe('what the identity provider calls it'),
        connected: z.boolean(),
        scopes: z.array(z.string()).describe('what it may do there, or would be asked to'),
        connected_at: time.nullable(),
      }),
    ),
  }),
  connection: z.object({
    name: z.enum(connectionNames),
    provider_name: z.string(),
    connected: z.literal(true),
    already: z.boolean().describe('true: it was connected before'),
    scopes: z.array(z.string()),
  }),
  'connection-remove': z.object({
    name: z.enum(connectionNames),
    provider_name: z.string(),
    connected: z.literal(false),
    removed: z.boolean().describe('false: it was not connected'),
  }),
  accounts: z.object({ accounts: z.array(accountEntrySchema.unwrap()) }),
  portfolio: z.object({ account: accountSchema, positions: z.array(positionSchema) }),
  portfolios: z.object({
    accounts: z.array(
      z.object({
        broker: z.string().describe('by its name in the gateway’s settings'),
        label: z.string(),
        default: z.boolean(),
        account: accountSchema,
        positions: z.array(positionSchema),
      }),
    ),
    missing: z.array(missingAccount).describe('accounts that could not be read now: they are in no total'),
    totals: z
      .array(
        z.object({ currency: z.string(), equity: decimal, cash: decimal, day_change: decimal.nullable() }),
      )
      .describe('of the accounts read, by currency'),
  }),
  chart,
  web: z.object({
    url: z.string().describe('opens the page in a browser of this machine, once: keep it to yourself'),
    port: z.int(),
    pid: z.int(),
  }),
  quotes: z.object({
    quotes: z.array(quoteSchema),
    missing: z
      .array(z.object({ symbol: z.string(), message: z.string() }))
      .describe('symbols without a quote; the exit code is 3 where there are some'),
  }),
  orders: z.object({
    orders: z.array(orderSchema.unwrap().extend(ofAccount)),
    missing: z.array(missingAccount).describe('of --account all, those that could not be read now'),
  }),
  'order-outcome': z.object({
    status: runStatus,
    key: z
      .string()
      .nullable()
      .describe('with it, the same order can be asked for again; null where nobody was asked'),
    approval: approvalSummary.nullable(),
    order: orderSchema.nullable().describe('at the broker, once it is there'),
    error: error.optional(),
  }),
  checks: z.object({
    checks: z
      .array(z.looseObject({ status: z.string() }))
      .describe('of --account all, one each, as check prints it; account names its broker'),
    missing: z.array(missingAccount).describe('accounts that could not be looked at now'),
  }),
  order: z.object({ order: orderSchema.unwrap().extend(ofAccount) }),
  threads: z.object({ threads: z.array(thread) }),
  thread: z.object({
    thread: thread.extend({ messages: z.array(threadMessage), approvals: z.array(approval) }),
  }),
  'deleted-threads': z.object({
    deleted: z.array(z.string()).describe('ids of threads'),
    dry_run: z.boolean().optional().describe('true: nothing was deleted'),
  }),
  approvals: z.object({ approvals: z.array(approval) }),
  approval: z.object({ approval }),
  reconciled: z.object({
    approvals: z.array(approval),
    unknown: z.int().describe('how many are still of unknown outcome'),
  }),
  access: z.object({
    account: z.string().describe('whose: the person’s own name at the identity provider'),
    kept: z.enum(['here', 'elsewhere']).describe('elsewhere: by the server that the gateway asks'),
    granted: z.array(access).describe('by the person to others'),
    given: z.array(access).describe('by others to the person'),
  }),
  'access-granted': z.object({ access: z.string().describe('its id'), granted_at: time }),
  'access-revoked': z.object({ access: z.string().describe('its id') }),
  mandates: z.object({ mandates: z.array(mandateViewSchema) }),
  mandate: z.object({ mandate: mandateViewSchema }),
  halt: z.object({
    halted: z.boolean(),
    halted_at: time.optional(),
    state: z.enum(tradingStates),
    since: time.optional(),
    until: time.optional(),
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
        at: time,
      })
      .optional()
      .describe('what became of it, where the gateway told within seconds of the decision'),
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
    company: companyClient.nullable().describe('where its people work; null without --company'),
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
    address: z.string().describe('what laptops name: --server ADDRESS'),
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
    concurrency: z.int().describe('runs that it drives at once'),
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
  'server-rewrap': z.object({ keys: z.int().describe('how many there are') }),
  'server-migrate': migrated,
  'gateway-key': z.object({
    status: z
      .enum(['made', 'in_use', 'waiting', 'rotated', 'rewrapped'])
      .describe('waiting: made by --rotate, to be registered beside the one in use'),
    file: z.string().nullable().describe("null: wrapped, in the gateways' database"),
    jwk: z.record(z.string(), z.string()).describe('the public key (RFC 7517)'),
    pem: z.string(),
    clients: z
      .array(z.looseObject({ client_id: z.string().nullable() }))
      .describe('what to register at the identity provider, by the names of RFC 7591'),
  }),
  'gateway-wrapping-key': wrappingKey,
  ...recordResults,
  'gateway-recount': z.object({
    orders: z.int().describe('how many were dated after the clock'),
    newest: time.nullable().describe('when the latest of them was dated'),
  }),
  'gateway-migrate': migrated,
  'gateway-halt': z.object({
    sub: z.string(),
    ended: z.enum(['halted', 'reducing']).describe('what was lifted'),
    halted_at: time.describe('since when it was so'),
    lifted_at: time,
    state: z.enum(tradingStates).describe('how far trading goes from then on'),
  }),
  demo: z.object({ audit: z.array(z.looseObject({ at: time, event: z.string() })) }),
  config: z.object({
    file: z.string(),
    key: z.string().nullable(),
    value: z.unknown().describe('null where the key is not set'),
  }),
  'config-path': z.object({ file: z.string() }),
  'config-edit': z.object({ file: z.string(), changed: z.boolean() }),
  'completion-install': z.object({
    shell: z.enum(shells),
    files: z.array(z.string()).describe('written, to be written, or taken out of'),
    written: z.boolean(),
  }),
  completion: z.object({ shell: z.enum(shells), script: z.string() }),
  doctor: z.object({ ok: z.boolean(), findings: z.array(finding) }),
  ...dataResults,
  ...profileResults,
  ...homeResults,
  ...mcpResults,
  ...policyResults,
  ...alertResults,
  ...scheduleResults,
  ...receiptResults,
} as const satisfies Record<string, z.ZodObject>;
