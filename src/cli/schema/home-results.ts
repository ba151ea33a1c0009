import { z } from 'zod';
import { environments } from '../../trading/order.ts';
import { tradingStates } from '../../trading/policy-views.ts';
import { finding, time } from './parts.ts';

const environment = z.enum(environments);
const recoveryCode = z.string().describe('shown this once; reads, denies and halts, and approves nothing');
const next = z.array(z.string()).describe('shell commands');

const authenticator = z.object({
  id: z.string().describe('by which it is removed'),
  name: z.string(),
  kind: z.enum(['passkey', 'software']),
  synced: z.boolean().describe('whether it can be on several devices at once'),
  enrolled_at: time,
  last_used_at: time.nullable(),
});

const homeUser = z.object({
  username: z.string().describe('the sub of their tokens'),
  name: z.string(),
  email: z.string().describe('empty where there is none'),
  authenticators: z.array(authenticator),
  account: z.object({ number: z.string(), environment }).nullable().describe('the first of accounts'),
  accounts: z.array(z.object({ broker: z.string(), number: z.string(), environment })),
  recovery_code: z.enum(['unused', 'used', 'none']),
});

const brokerName = z.string().describe('by its name in gateway.yaml; broker where there is but one');

const brokerKind = z.string().describe('which broker it is, as kind in gateway.yaml: alpaca');

export const homeResults = {
  'home-init': z.object({
    folder: z.string(),
    address: z.string().describe('issuer, gateway and phone page'),
    owner: z.object({ username: z.string(), name: z.string(), email: z.string() }),
    broker: brokerKind,
    account: z.object({
      number: z.string(),
      environment,
      status: z.string().describe("the broker's own word"),
    }),
    limits: z.object({
      version: z.literal(1),
      accounts: z.record(z.string(), z.record(z.string(), z.unknown())).describe('as in limits.yaml'),
    }),
    recovery_code: recoveryCode,
    next,
  }),
  'home-serve': z.object({
    address: z.string(),
    environment,
    url: z.string().describe('where it listens, without a proxy in front of it'),
    home: z.string(),
    pid: z.int(),
  }),
  'home-status': z.object({
    folder: z.string(),
    address: z.string(),
    environment,
    served: z.object({ pid: z.int(), url: z.string() }).nullable(),
    signature: z.enum(['required', 'live', 'off']).describe('which approvals a phone must sign'),
    users: z.array(
      homeUser.extend({
        open: z.int().describe('proposals that nothing has come of yet'),
        pushes: z.int().describe('how many browsers are rung'),
        trading: z.object({
          state: z.enum(tradingStates),
          since: time.nullable(),
          until: time.nullable().describe('when it ends by itself'),
        }),
      }),
    ),
  }),
  'home-doctor': z.object({
    ok: z.boolean().describe('whether there is nothing to do'),
    findings: z.array(finding),
  }),
  'home-pairing': z.object({
    user: z.string(),
    url: z.string().describe('a secret: whoever opens it first can approve'),
    expires_at: time,
  }),
  'home-users': z.object({ users: z.array(homeUser) }),
  'home-user': z.object({ user: z.string(), name: z.string(), recovery_code: recoveryCode, next }),
  'home-user-remove': z.object({ user: z.string() }),
  'home-authenticator-remove': z.object({
    user: z.string(),
    authenticator,
    left: z.int().describe('how many the person still has'),
  }),
  'home-recovery-code': z.object({ user: z.string(), recovery_code: recoveryCode }),
  'home-broker': z.object({
    accounts: z.array(
      z.object({ user: z.string(), broker: brokerName, number: z.string(), environment, kept_at: time }),
    ),
  }),
  'home-broker-set': z.object({
    user: z.string(),
    broker: brokerName,
    number: z.string(),
    environment,
    status: z.string(),
  }),
  'home-broker-tools': z.object({
    broker: brokerName,
    tools: z.array(
      z.object({
        name: z.string(),
        state: z.enum(['confirmed', 'changed', 'unconfirmed', 'gone']),
        description: z.string().describe("the server's words"),
        arguments: z.record(z.string(), z.unknown()).describe('JSON Schema'),
        sha256: z.string().nullable().describe('what confirms it, in `pins` of gateway.yaml'),
      }),
    ),
  }),
  'home-brokers': z.object({
    brokers: z.array(
      z.object({
        name: brokerName,
        kind: brokerKind,
        label: z.string().describe("what its owner calls it, or the broker's own name"),
        credentials: z.string().describe('what opens accounts there'),
        address: z.string().nullable().describe("null at the broker's own addresses"),
        accounts: z.array(z.object({ user: z.string(), number: z.string() })),
      }),
    ),
  }),
  'home-broker-add': z.object({
    broker: brokerName,
    kind: brokerKind,
    user: z.string(),
    number: z.string(),
    environment,
    status: z.string(),
    brokers: z.array(z.string()).describe('all of the home, in their order'),
    restart: z.boolean().describe('whether a home runs that does not know it yet'),
  }),
  'home-broker-remove': z.object({ user: z.string(), broker: brokerName }),
  'home-notices': z.object({
    channels: z.array(
      z.object({
        name: z.string(),
        kind: z.string(),
        enabled: z.boolean(),
        to: z.string(),
        secret: z.enum(['kept', 'missing', 'not_needed']),
      }),
    ),
  }),
  'home-backup': z.object({
    file: z.string(),
    bytes: z.int(),
    created_at: time,
    address: z.string(),
    files: z.array(z.string()),
  }),
  'home-restore': z.object({
    folder: z.string(),
    address: z.string(),
    created_at: time.describe('when the backup was made'),
    withdrawn: z.int().describe('proposals that were open then'),
    looked_up: z.int().describe('proposals that were being carried out then'),
  }),
  'home-service': z.object({
    kind: z.enum(['systemd', 'launchd']),
    file: z.string().describe('where the manager looks for it'),
    content: z.string(),
    commands: z.array(z.string()).describe('what to type to have it run'),
    warnings: z.array(z.string()),
  }),
};
