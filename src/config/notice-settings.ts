import { z } from 'zod';
import { INSECURE_URL, isSecureUrl } from '../net/secure-url.ts';
import { closestMatch } from '../text/closest-match.ts';

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

/** What every channel can be told, of whatever kind. */
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

/** An address that notices, or what proves them, may go to. */
export const secureUrl = () =>
  z
    .string()
    .refine(isSecureUrl, INSECURE_URL)
    .refine(
      (text) => !URL.canParse(text) || new URL(text).username === '',
      'must not hold a user or password',
    );

/**
 * One kind of channel: what stands in config.yaml, and what is to be known of its secret, which never stands there. How
 * it sends is in `notify/<kind>.ts`.
 */
export interface ChannelKind<Schema extends z.ZodType = z.ZodType> {
  /** With {@link everyChannel}; made only where there is a channel. */
  schema(): Schema;
  /** Where its notices go, in words; nothing secret. */
  destination(channel: z.output<Schema>): string;
  /** Undefined where it has none. */
  readonly secret?: {
    need(channel: z.output<Schema>): 'required' | 'optional' | 'none';
    /** What it is, for people: `password of …`. */
    words(channel: z.output<Schema>): string;
    /** What it goes to: with another in config.yaml it must be given anew. */
    boundTo(channel: z.output<Schema>): readonly unknown[];
    /** What it must be instead, where it can't be one. */
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
