import { z } from 'zod';
import { INSECURE_URL, isLoopback, isSecureUrl } from '../net/secure-url.ts';
import { closestMatch } from './closest-match.ts';

/*
 * `notices:` of a profile in config.yaml: who is told what a check found, and how. Secrets are never in it: they are in
 * the credential store (notice-secrets.ts).
 */

export const noticeSeverities = ['info', 'warning', 'critical'] as const;
export type NoticeSeverity = (typeof noticeSeverities)[number];

/** What a title or body template may name. */
export const noticePlaceholders = [
  'severity',
  'rule',
  'subject',
  'message',
  'profile',
  'account',
  'environment',
  'at',
] as const;

const template = (longest: number) =>
  z
    .string()
    .min(1)
    .max(longest)
    .superRefine((text, context) => {
      for (const [, name = ''] of text.matchAll(/\{([^{}]*)\}/g)) {
        if ((noticePlaceholders as readonly string[]).includes(name)) continue;
        const nearest = closestMatch(name, noticePlaceholders);
        context.addIssue({
          code: 'custom',
          message: `can't name {${name}}: ${nearest === undefined ? '' : `did you mean {${nearest}}? `}It knows ${noticePlaceholders.map((known) => `{${known}}`).join(', ')}.`,
        });
      }
    });

const common = () => ({
  enabled: z.boolean().default(true),
  /** Findings less severe than this are not told. */
  min_severity: z.enum(noticeSeverities).default('warning'),
  /** Only what these rules find; every rule where nothing is said. */
  rules: z.array(z.string().min(1)).min(1).optional(),
  /** Whether to tell of orders that a check proposed and that wait for an approval. */
  approvals: z.boolean().default(true),
  title: template(200).optional(),
  body: template(2000).optional(),
  /** Seconds one attempt may take. */
  timeout: z.number().int().min(1).max(60).default(10),
});

const secureUrl = () =>
  z
    .string()
    .refine(isSecureUrl, INSECURE_URL)
    .refine(
      (text) => !URL.canParse(text) || new URL(text).username === '',
      'must not hold a user or password',
    );

/** SMTP: TLS after STARTTLS (never without), TLS from the start, or, on this machine alone, none. */
const securities = ['starttls', 'tls', 'none'] as const;

const email = () =>
  z
    .strictObject({
      kind: z.literal('email'),
      ...common(),
      host: z.string().regex(/^([A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]+\])$/, 'must be a host name or address'),
      port: z.number().int().min(1).max(65_535).optional(),
      security: z.enum(securities).default('starttls'),
      /** Signs in with the password that "notices set-secret" keeps; without it nobody signs in. */
      user: z.string().min(1).max(200).optional(),
      from: z.email(),
      to: z.array(z.email()).min(1).max(20),
      /** A file of certificates (PEM) that this server is trusted by, instead of the well-known ones. */
      ca_file: z.string().min(1).optional(),
    })
    .refine(({ security, host: name }) => security !== 'none' || isLoopback(new URL(`http://${name}`)), {
      path: ['security'],
      message: '"none" is for a mail server on this machine only',
    });

/** Made with the first channel there is. */
export const noticeChannelSchema = z.lazy(() =>
  z.discriminatedUnion(
    'kind',
    [
      z.strictObject({ kind: z.literal('desktop'), ...common() }),
      email(),
      /** Slack's incoming webhooks, and what understands them. The address is the secret. */
      z.strictObject({ kind: z.literal('slack'), ...common() }),
      /** JSON signed by Standard Webhooks. */
      z.strictObject({ kind: z.literal('webhook'), ...common(), url: secureUrl() }),
      z.strictObject({
        kind: z.literal('ntfy'),
        ...common(),
        server: secureUrl().default('https://ntfy.sh'),
        topic: z.string().regex(/^[-_A-Za-z0-9]{1,64}$/, 'must be 1 to 64 letters, digits, - and _'),
        tags: z
          .array(z.string().regex(/^[\w+-]{1,40}$/, 'must be a word'))
          .max(5)
          .default([]),
      }),
    ],
    { error: 'must have a "kind": desktop, email, slack, webhook or ntfy' },
  ),
);
export type NoticeChannel = z.output<typeof noticeChannelSchema>;
export type NoticeChannelOf<Kind extends NoticeChannel['kind']> = Extract<NoticeChannel, { kind: Kind }>;

export const noticesSchema = z.record(z.string().regex(/^[a-z0-9][a-z0-9-]{0,31}$/), noticeChannelSchema, {
  error: ({ code }) =>
    code === 'invalid_key' ? 'a channel is named by small letters, digits and "-", 32 at most' : undefined,
});
export type NoticesConfig = z.output<typeof noticesSchema>;

/** Where a channel's notices go, in words; nothing secret. */
export function noticeDestination(channel: NoticeChannel): string {
  switch (channel.kind) {
    case 'desktop':
      return 'this desktop';
    case 'email':
      return `${channel.to.join(', ')} by ${channel.host}:${smtpPort(channel)}`;
    case 'slack':
      return 'the address kept as its secret';
    case 'webhook':
      return new URL(channel.url).host;
    case 'ntfy':
      return `${channel.topic} at ${new URL(channel.server).host}`;
  }
}

/** The port said, or the usual one (RFC 6409, RFC 8314). */
export function smtpPort({ port, security }: NoticeChannelOf<'email'>): number {
  return port ?? { starttls: 587, tls: 465, none: 25 }[security];
}
