import { z } from 'zod';
import { noticeSeverities } from '../../config/notice-settings.ts';
import { profileSchema } from '../../config/profile.ts';
import { environments } from '../../trading/order.ts';

const providerFinding = z.object({
  feature: z.string(),
  status: z.enum(['ok', 'warn', 'fail']),
  message: z.string(),
  fix: z.string().optional(),
});

const storePlace = z.object({
  store: z.enum(['keychain', 'file']),
  key: z
    .string()
    .nullable()
    .describe('"passphrase", the path of a key file, or null for a key file next to the credential file'),
  file: z.string().nullable(),
});

export const profileResultSchemas = {
  profiles: z.object({
    profiles: z.array(
      z.object({
        name: z.string(),
        environment: z.enum(environments),
        sandbox: z.boolean(),
        current: z.boolean(),
      }),
    ),
  }),
  profile: z.object({ profile: profileSchema.extend({ name: z.string() }), file: z.string() }),
  'profile-add': z.object({
    name: z.string(),
    profile: z.record(z.string(), z.unknown()).describe('same format as in config.yaml'),
    file: z.string(),
    findings: z.array(providerFinding),
    next: z.array(z.string()).describe('shell commands'),
  }),
  'profile-check': z.object({
    name: z.string(),
    provider: z.string(),
    issuer: z.string(),
    ok: z.boolean(),
    findings: z.array(providerFinding),
  }),
  'profile-remove': z.object({
    name: z.string(),
    signed_out: z.string().nullable().describe('subject of the session that was ended'),
    warning: z.string().nullable(),
  }),
  'profile-model-key': z.object({ name: z.string(), url: z.string() }),
  notices: z.object({
    channels: z.array(
      z.object({
        name: z.string(),
        kind: z.string(),
        enabled: z.boolean(),
        to: z.string(),
        min_severity: z.enum(noticeSeverities),
        rules: z.array(z.string()).nullable().describe('null: all rules'),
        secret: z.enum(['kept', 'missing', 'not_needed']),
        waiting: z.int().describe('number of notices not sent yet'),
      }),
    ),
  }),
  'notice-test': z.object({ channel: z.string(), id: z.string(), attempts: z.int() }),
  'notice-added': z.object({
    channel: z.string(),
    kind: z.string(),
    to: z.string().describe('human-readable destination'),
    secret: z.enum(['required', 'optional', 'none']),
  }),
  'notice-removed': z.object({ channel: z.string() }),
  'notice-secret': z.object({ channel: z.string(), kind: z.string() }),
  'profile-store': z.object({
    name: z.string(),
    ...storePlace.shape,
    kept: z.boolean().describe('true if credentials are stored there; checked without a prompt'),
    leftovers: z.array(storePlace).describe('places where an interrupted move left a copy'),
  }),
  'profile-store-move': z.object({
    name: z.string(),
    from: storePlace,
    to: storePlace,
    moved: z.array(z.string()).describe('names of the moved credentials'),
    warning: z.string().nullable(),
  }),
  'default-profile': z.object({ default_profile: z.string() }),
};
