import { z } from 'zod';
import { environments } from '../../trading/order.ts';
import { tradingStates } from '../../trading/policy-views.ts';
import { doctorFindingSchema, timeSchema } from './parts.ts';

const environment = z.enum(environments);
const recoveryCode = z.string().describe('shown only once; it can read, deny and halt, but not approve');
const next = z.array(z.string()).describe('shell commands');

const authenticator = z.object({
  id: z.string().describe('ID for removing it'),
  name: z.string(),
  kind: z.enum(['passkey', 'software']),
  synced: z.boolean().describe('true if it can be on several devices at once'),
  former_host: z
    .string()
    .nullable()
    .describe('host of a former address of the home, if it was created there and can’t approve at this one'),
  enrolled_at: timeSchema,
  last_used_at: timeSchema.nullable(),
});

const homeUser = z.object({
  username: z.string().describe('the sub claim of the user’s tokens'),
  name: z.string(),
  email: z.string().describe('empty if there is none'),
  authenticators: z.array(authenticator),
  account: z.object({ number: z.string(), environment }).nullable().describe('the first of the accounts'),
  accounts: z.array(z.object({ broker: z.string(), number: z.string(), environment })),
  recovery_code: z.enum(['unused', 'used', 'none']),
});

const brokerName = z.string().describe('name of the broker in gateway.yaml; "broker" if there is only one');

const brokerKind = z.string().describe('the broker’s kind in gateway.yaml, such as alpaca');

const grant = z.object({
  user: z.string().describe('who granted it'),
  id: z.string().describe('ID for revoking it'),
  kind: z.enum(['device', 'server', 'agent', 'app']).describe('an app may only send its user requests'),
  name: z.string().describe('self-reported, unverified'),
  from: z.string().nullable().describe('the device’s name, or the host that the client names'),
  since: timeSchema,
  ends_at: timeSchema.nullable(),
  last_used_at: timeSchema.nullable(),
});

export const homeResultSchemas = {
  'home-init': z.object({
    folder: z.string(),
    address: z.string().describe('address of the issuer, the gateway and the phone page'),
    owner: z.object({ username: z.string(), name: z.string(), email: z.string() }),
    broker: brokerKind,
    account: z.object({
      number: z.string(),
      environment,
      status: z.string().describe('status as the broker reports it'),
    }),
    limits: z.object({
      version: z.literal(1),
      accounts: z.record(z.string(), z.record(z.string(), z.unknown())).describe('same format as limits.yaml'),
    }),
    recovery_code: recoveryCode,
    next,
  }),
  'home-address': z.object({
    before: z.string(),
    address: z.string(),
    asked_again: z.int().describe('number of open proposals that the phone will ask about again'),
    next,
  }),
  'home-serve': z.object({
    address: z.string(),
    environment,
    url: z.string().describe('where the home listens, behind any proxy'),
    home: z.string(),
    pid: z.int(),
  }),
  'home-status': z.object({
    folder: z.string(),
    address: z.string(),
    environment,
    served: z.object({ pid: z.int(), url: z.string() }).nullable(),
    signature: z.enum(['required', 'live', 'off']).describe('which approvals need a phone’s signature'),
    users: z.array(
      homeUser.extend({
        open: z.int().describe('number of proposals without an outcome'),
        pushes: z.int().describe('number of browsers that receive push messages'),
        trading: z.object({
          state: z.enum(tradingStates),
          since: timeSchema.nullable(),
          until: timeSchema.nullable().describe('when this state expires'),
        }),
      }),
    ),
  }),
  'home-doctor': z.object({
    ok: z.boolean().describe('true if no finding needs action'),
    findings: z.array(doctorFindingSchema),
  }),
  'home-pairing': z.object({
    user: z.string(),
    url: z.string().describe('a secret: the first person to open it can approve'),
    expires_at: timeSchema,
  }),
  'home-users': z.object({ users: z.array(homeUser) }),
  'home-user': z.object({ user: z.string(), name: z.string(), recovery_code: recoveryCode, next }),
  'home-grants': z.object({ grants: z.array(grant) }),
  'home-grant-revoke': z.object({ grant }),
  'home-user-remove': z.object({ user: z.string() }),
  'home-authenticator-remove': z.object({
    user: z.string(),
    authenticator,
    left: z.int().describe('number of authenticators that the user still has'),
  }),
  'home-recovery-code': z.object({ user: z.string(), recovery_code: recoveryCode }),
  'home-broker': z.object({
    accounts: z.array(
      z.object({
        user: z.string(),
        broker: brokerName,
        number: z.string(),
        environment,
        kept_at: timeSchema,
      }),
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
        description: z.string().describe('description from the server'),
        arguments: z.record(z.string(), z.unknown()).describe('JSON Schema'),
        sha256: z.string().nullable().describe('value that confirms the tool, in `pins` of gateway.yaml'),
      }),
    ),
  }),
  'home-brokers': z.object({
    brokers: z.array(
      z.object({
        name: brokerName,
        kind: brokerKind,
        label: z.string().describe('name that the owner gave it, or the broker’s own name'),
        credentials: z.string().describe('kind of credentials that the broker requires'),
        address: z.string().nullable().describe('null for the broker’s default address'),
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
    brokers: z.array(z.string()).describe('all brokers of the home, in order'),
    restart: z.boolean().describe('true if a running home must be restarted to use the broker'),
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
    created_at: timeSchema,
    address: z.string(),
    files: z.array(z.string()),
  }),
  'home-migrate': z.object({
    folder: z.string(),
    database: z.enum(['sqlite', 'postgres']),
    tables: z.int().describe('number of tables that were copied; 0 if only an interrupted move was completed'),
    rows: z.int(),
  }),
  'home-restore': z.object({
    folder: z.string(),
    address: z.string(),
    created_at: timeSchema.describe('when the backup was made'),
    withdrawn: z.int().describe('number of proposals that were open when the backup was made'),
    looked_up: z.int().describe('number of proposals that were executing when the backup was made'),
  }),
  'home-service': z.object({
    kind: z.enum(['systemd', 'launchd']),
    file: z.string().describe('path where the service manager looks for it'),
    content: z.string(),
    commands: z.array(z.string()).describe('commands that start the service'),
    warnings: z.array(z.string()),
  }),
};
