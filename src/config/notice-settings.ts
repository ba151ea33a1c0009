import { z } from 'zod';
import { INSECURE_URL_MESSAGE, isSecureUrl } from '../net/secure-url.ts';
import { findClosestMatch } from '../text/closest-match.ts';

export const noticeSeverities = ['info', 'warning', 'critical'] as const;
export type NoticeSeverity = (typeof noticeSeverities)[number];

/** Placeholders that title and body templates can contain. */
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

const templateSchema = (longest: number) =>
  z
    .string()
    .min(1)
    .max(longest)
    .superRefine((text, context) => {
      for (const [, name = ''] of text.matchAll(/\{([^{}]*)\}/g)) {
        if ((noticePlaceholders as readonly string[]).includes(name)) continue;
        const nearest = findClosestMatch(name, noticePlaceholders);
        context.addIssue({
          code: 'custom',
          message: `has an unknown placeholder {${name}}. ${nearest === undefined ? '' : `Did you mean {${nearest}}? `}Placeholders are ${noticePlaceholders.map((known) => `{${known}}`).join(', ')}.`,
        });
      }
    });

export const createCommonChannelSettings = () => ({
  enabled: z.boolean().default(true).describe('whether the channel is active'),
  min_severity: z.enum(noticeSeverities).default('warning').describe('Findings less severe than this are not sent.'),
  rules: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe('The rules whose findings are sent. By default, all rules.'),
  approvals: z
    .boolean()
    .default(true)
    .describe('Whether to send a notice when an order that a check proposed needs approval.'),
  fills: z.boolean().default(true).describe('Whether a home sends a notice when an order is filled.'),
  title: templateSchema(200).optional().describe('template for the title'),
  body: templateSchema(2000).optional().describe('template for the body'),
  timeout: z.number().int().min(1).max(60).default(10).describe('Timeout for one attempt, in seconds.'),
});

export const secureUrlSchema = () =>
  z
    .string()
    .refine(isSecureUrl, INSECURE_URL_MESSAGE)
    .refine((text) => !URL.canParse(text) || new URL(text).username === '', 'must not contain a user name or password');

/** A kind of channel: its settings in config.yaml, and its secret. `notify/<kind>.ts` sends notices to it. */
export interface ChannelKind<Schema extends z.ZodType = z.ZodType> {
  /**
   * Returns the schema of the settings, including {@link createCommonChannelSettings}. Called only if the configuration
   * has a channel.
   */
  schema(): Schema;
  destination(channel: z.output<Schema>): string;
  /** Undefined if channels of this kind have no secret. */
  readonly secret?: {
    need(channel: z.output<Schema>): 'required' | 'optional' | 'none';
    /** Describes the secret for display: `password of …`. */
    words(channel: z.output<Schema>): string;
    /** Returns the settings to which the secret is bound: if any of them changes, the secret must be entered again. */
    boundTo(channel: z.output<Schema>): readonly unknown[];
    /** If the secret is invalid, returns a description of a valid secret; otherwise undefined. */
    mustBe?(secret: string): string | undefined;
  };
}

/**
 * Infers a channel kind's types from its schema.
 *
 * @example
 * ```ts
 * import { z } from 'zod';
 * import { defineChannel, createCommonChannelSettings, secureUrlSchema } from './notice-settings.ts';
 *
 * export const gotify = defineChannel({
 *   schema: () => z.strictObject({ kind: z.literal('gotify'), ...createCommonChannelSettings(), server: secureUrlSchema() }),
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
