import { z } from 'zod';
import { INSECURE_URL, isSecureUrl } from '../net/secure-url.ts';
import { closestMatch } from '../text/closest-match.ts';

export const noticeSeverities = ['info', 'warning', 'critical'] as const;
export type NoticeSeverity = (typeof noticeSeverities)[number];

/** Placeholders of title and body templates. */
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

/** The settings of every kind of channel. */
export const everyChannel = () => ({
  enabled: z.boolean().default(true).describe('whether it tells anything'),
  min_severity: z
    .enum(noticeSeverities)
    .default('warning')
    .describe('Findings less severe than this are not told.'),
  rules: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe('Only what these rules find; every rule where nothing is said.'),
  approvals: z
    .boolean()
    .default(true)
    .describe('Whether to tell of orders that a check proposed and that wait for an approval.'),
  fills: z.boolean().default(true).describe('A home: whether to tell what was filled of an order.'),
  title: template(200).optional().describe('a template of the title'),
  body: template(2000).optional().describe('a template of the text'),
  timeout: z.number().int().min(1).max(60).default(10).describe('Seconds one attempt may take.'),
});

/** An address that notices or secrets may be sent to. */
export const secureUrl = () =>
  z
    .string()
    .refine(isSecureUrl, INSECURE_URL)
    .refine(
      (text) => !URL.canParse(text) || new URL(text).username === '',
      'must not hold a user or password',
    );

/**
 * A kind of channel: its settings in config.yaml, and its secret, which is stored elsewhere. `notify/<kind>.ts`
 * sends.
 */
export interface ChannelKind<Schema extends z.ZodType = z.ZodType> {
  /** With {@link everyChannel}; created only where there is a channel. */
  schema(): Schema;
  /** The destination in words; nothing secret. */
  destination(channel: z.output<Schema>): string;
  /** Undefined where it has none. */
  readonly secret?: {
    need(channel: z.output<Schema>): 'required' | 'optional' | 'none';
    /** What it is, for people: `password of …`. */
    words(channel: z.output<Schema>): string;
    /** The settings it is bound to: when they change it must be given again. */
    boundTo(channel: z.output<Schema>): readonly unknown[];
    /** The required form, for an invalid secret; undefined for a valid one. */
    mustBe?(secret: string): string | undefined;
  };
}

/**
 * Types a kind of channel by its schema.
 *
 * @example
 * ```ts
 * import { z } from 'zod';
 * import { defineChannel, everyChannel, secureUrl } from './notice-settings.ts';
 *
 * export const gotify = defineChannel({
 *   schema: () => z.strictObject({ kind: z.literal('gotify'), ...everyChannel(), server: secureUrl() }),
 *   destination: ({ server }) => new URL(server).host,
 *   secret: {
 *     need: () => 'required',
 *     words: () => 'token of the application',
 *     boundTo: ({ server }) => [server],
 *     mustBe: (secret) => (/^A[\w.-]{14}$/.test(secret) ? undefined : '15 characters that begin with A.'),
 *   },
 * });
 * ```
 */
export function defineChannel<Schema extends z.ZodType>(kind: ChannelKind<Schema>): ChannelKind<Schema> {
  return kind;
}
