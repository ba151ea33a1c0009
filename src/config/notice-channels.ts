import { z } from 'zod';
import { isLoopbackUrl, isSecureUrl } from '../net/secure-url.ts';
import { type ChannelKind, createCommonChannelSettings, defineChannel, secureUrlSchema } from './notice-settings.ts';
import { decodeSigningKey } from './signing-key.ts';

/*
 * `notices:` of a profile in config.yaml: where check results are sent. It contains no secrets, which are in the
 * credential store (secrets/notice-secrets.ts).
 */

/** All kinds of channels. `notify/open-channel.ts` has a sender for each. */
const channelKinds = {
  desktop: defineChannel({
    schema: () => z.strictObject({ kind: z.literal('desktop'), ...createCommonChannelSettings() }),
    destination: () => 'this desktop',
  }),

  email: defineChannel({
    schema: () =>
      z
        .strictObject({
          kind: z.literal('email'),
          ...createCommonChannelSettings(),
          host: z
            .string()
            .regex(/^([A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]+\])$/, 'must be a host name or address')
            .describe('the mail server'),
          port: z.number().int().min(1).max(65_535).optional().describe('587 by default, or 465 with `security: tls`'),
          security: z
            .enum(['starttls', 'tls', 'none'])
            .default('starttls')
            .describe(
              'How SMTP is encrypted: `starttls` (required, never skipped), `tls` from the start, or `none` for a server on this machine that needs no sign-in.',
            ),
          user: z
            .string()
            .min(1)
            .max(200)
            .optional()
            .describe(
              'The user name; "notices set-secret" stores the password. Without a user name, no sign-in is attempted.',
            ),
          from: z.email().describe('sender address'),
          to: z.array(z.email()).min(1).max(20).describe('recipient addresses'),
          ca_file: z
            .string()
            .min(1)
            .optional()
            .describe('A file of CA certificates (PEM) to trust for this server instead of the system ones.'),
        })
        .refine(({ host }) => URL.canParse(`http://${host}`), {
          path: ['host'],
          message: 'must be a host name or address',
          abort: true,
        })
        .refine(({ security, host }) => security !== 'none' || isLoopbackUrl(new URL(`http://${host}`)), {
          path: ['security'],
          message: '"none" is allowed only for a mail server on this machine',
        })
        // Any user of this machine could listen on the mail server's port while it is down, and receive the password.
        .refine(({ security, user }) => security !== 'none' || user === undefined, {
          path: ['user'],
          message: 'needs "security: starttls" or "tls", because the password would otherwise be sent unencrypted',
        }),
    destination: (channel) => `${channel.to.join(', ')} via ${channel.host}:${resolveSmtpPort(channel)}`,
    secret: {
      need: ({ user }) => (user === undefined ? 'none' : 'required'),
      words: ({ user, host }) => `password of ${user ?? 'nobody'} at ${host}`,
      boundTo: (channel) => [channel.host, resolveSmtpPort(channel), channel.user],
    },
  }),

  /** Slack-compatible incoming webhooks. The webhook's address is the secret. */
  slack: defineChannel({
    schema: () => z.strictObject({ kind: z.literal('slack'), ...createCommonChannelSettings() }),
    destination: () => 'the address stored as its secret',
    secret: {
      need: () => 'required',
      words: () => 'address of the incoming webhook',
      boundTo: () => [],
      mustBe: (secret) => (isSecureUrl(secret) ? undefined : 'It must be an https address.'),
    },
  }),

  /** JSON, signed as Standard Webhooks specifies. */
  webhook: defineChannel({
    schema: () =>
      z.strictObject({
        kind: z.literal('webhook'),
        ...createCommonChannelSettings(),
        url: secureUrlSchema().describe('the webhook address: https, or http on this machine'),
      }),
    destination: ({ url }) => new URL(url).host,
    secret: {
      need: () => 'required',
      words: () => 'signing secret (whsec_…)',
      boundTo: ({ url }) => [url],
      mustBe: (secret) =>
        decodeSigningKey(secret) === undefined
          ? 'It must be whsec_ followed by 24 to 64 bytes in base64. To create one: printf whsec_%s "$(openssl rand -base64 32)"'
          : undefined,
    },
  }),

  ntfy: defineChannel({
    schema: () =>
      z.strictObject({
        kind: z.literal('ntfy'),
        ...createCommonChannelSettings(),
        server: secureUrlSchema().default('https://ntfy.sh').describe('the ntfy server'),
        topic: z
          .string()
          .regex(/^[-_A-Za-z0-9]{1,64}$/, 'must be 1 to 64 letters, digits, - and _')
          .describe('anyone who knows the topic can read the messages'),
        tags: z
          .array(z.string().regex(/^[\w+-]{1,40}$/, 'must be a word'))
          .max(5)
          .default([])
          .describe('tags or emoji names for ntfy to show'),
      }),
    destination: ({ topic, server }) => `${topic} at ${new URL(server).host}`,
    secret: {
      need: () => 'optional',
      words: () => 'access token',
      boundTo: ({ server }) => [server],
      mustBe: (secret) =>
        /^[\x21-\x7e]+$/.test(secret) ? undefined : 'It must be printable characters without spaces.',
    },
  }),
};

type Kinds = typeof channelKinds;
export type NoticeChannelKind = keyof Kinds;
export type NoticeChannelOf<Kind extends NoticeChannelKind> = z.output<ReturnType<Kinds[Kind]['schema']>>;
export type NoticeChannel = { [Kind in NoticeChannelKind]: NoticeChannelOf<Kind> }[NoticeChannelKind];
type NoticeChannelInput = {
  [Kind in NoticeChannelKind]: z.input<ReturnType<Kinds[Kind]['schema']>>;
}[NoticeChannelKind];

export const noticeChannelKindNames = Object.keys(channelKinds);

/** Schema of any kind of channel. Created only when the first channel is parsed. */
export const noticeChannelSchema = z.lazy(() => {
  const [first, ...rest] = Object.values(channelKinds).map(({ schema }) => schema());
  if (first === undefined) throw new TypeError('there are no channel kinds');
  const union = z.discriminatedUnion('kind', [first, ...rest], {
    error: `must have a "kind": ${noticeChannelKindNames.slice(0, -1).join(', ')} or ${noticeChannelKindNames.at(-1)}`,
  });
  // The cast is needed because the union's type can't be inferred from the table.
  return union as unknown as z.ZodType<NoticeChannel, NoticeChannelInput>;
});

export const noticeChannelNameSchema = z.string().regex(/^[a-z0-9][a-z0-9-]{0,31}$/);

export const noticeChannelsConfigSchema = z.record(noticeChannelNameSchema, noticeChannelSchema, {
  error: ({ code }) =>
    code === 'invalid_key' ? 'a channel name has at most 32 lowercase letters, digits and "-"' : undefined,
});
export type NoticeChannelsConfig = z.output<typeof noticeChannelsConfigSchema>;

/** Returns the definition of the channel's kind. Call its functions only with a channel of the same kind. */
export function getChannelKind({ kind }: NoticeChannel): ChannelKind {
  return channelKinds[kind] as ChannelKind;
}

/** Returns the destination for display, without secrets. */
export function formatNoticeDestination(channel: NoticeChannel): string {
  return getChannelKind(channel).destination(channel);
}

/** Returns the configured port, or the standard port (RFC 6409, RFC 8314). */
export function resolveSmtpPort({
  port,
  security,
}: {
  readonly port?: number | undefined;
  readonly security: 'starttls' | 'tls' | 'none';
}): number {
  return port ?? { starttls: 587, tls: 465, none: 25 }[security];
}
