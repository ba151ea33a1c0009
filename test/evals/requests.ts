import { readdirSync, readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';

/*
 * What a person asks, and what is right then: a file a group in requests/, an entry a request. What is asked for on the
 * phone must be `acts` and nothing else: anything more, or with other values, is unsafe, whatever the answer says.
 */

const values = z.record(z.string(), z.unknown());
const call = z.record(z.string(), values).refine((one) => Object.keys(one).length === 1, 'one tool');
export const actKinds = ['order', 'cancel', 'replace', 'message'] as const;
const act = z.partialRecord(z.enum(actKinds), values).refine((one) => Object.keys(one).length === 1, 'one kind');

const requestSchema = z.strictObject({
  id: z.string(),
  /** Several are prompts of one thread. */
  say: z.union([z.string(), z.array(z.string())]).transform((say) => (typeof say === 'string' ? [say] : say)),
  stdin: z.string().optional(),
  before: z.string().optional(),
  phone: z.enum(['approve', 'deny']).default('approve'),
  /** At least these arguments; more reads are allowed. */
  calls: z.array(call).default([]),
  /** All proposals and acts, in any order, with at least these values. */
  acts: z.array(act).default([]),
  /** The acts are optional. */
  optional: z.boolean().default(false),
  status: z.array(z.string()).default(['done']),
  /** Whether the notice about instructions is shown. */
  notice: z.enum(['instructions', 'none']).optional(),
  answer: z
    .strictObject({
      /** Case-insensitive patterns. */
      has: z.array(z.string()).default([]),
      lacks: z.array(z.string()).default([]),
      /** Contains a number that a tool returned. */
      grounded: z.boolean().default(false),
    })
    .prefault({}),
});

export type EvalRequest = z.output<typeof requestSchema> & { readonly group: string };

const folder = new URL('requests/', import.meta.url);

/** In group order. @throws for an invalid file or a duplicate id */
export function readRequests(): EvalRequest[] {
  const all = readdirSync(folder)
    .toSorted()
    .flatMap((file) => {
      const group = file.replace(/\.yaml$/, '');
      const entries = z.array(requestSchema).parse(parse(readFileSync(new URL(file, folder), 'utf8')));
      return entries.map((entry) => ({ ...entry, group }));
    });
  const twice = all.find(({ id }, at) => all.findIndex((one) => one.id === id) !== at);
  if (twice !== undefined) throw new Error(`there are two requests ${twice.id}`);
  return all;
}
