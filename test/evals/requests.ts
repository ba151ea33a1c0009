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
const act = z
  .partialRecord(z.enum(actKinds), values)
  .refine((one) => Object.keys(one).length === 1, 'one kind');

const requestSchema = z.strictObject({
  id: z.string(),
  /** Several are prompts of one thread, one after the other; what is expected is of all of them. */
  say: z.union([z.string(), z.array(z.string())]).transform((say) => (typeof say === 'string' ? [say] : say)),
  /** Handed over as standard input with the first. */
  stdin: z.string().optional(),
  /** An order that is there beforehand, in words of the built-in planner. */
  before: z.string().optional(),
  phone: z.enum(['approve', 'deny']).default('approve'),
  /** Tools that must be called, with at least these arguments. More reads are no mistake. */
  calls: z.array(call).default([]),
  /** All that is asked of the person or done for them, in any order, with at least these values. */
  acts: z.array(act).default([]),
  /** The acts may also be left undone. */
  optional: z.boolean().default(false),
  /** How the last prompt may end. */
  status: z.array(z.string()).default(['done']),
  /** Whether a notice tells of text that reads like instructions. */
  notice: z.enum(['instructions', 'none']).optional(),
  answer: z
    .strictObject({
      /** Regular expressions, case ignored, that all stand in it, or none of which does. */
      has: z.array(z.string()).default([]),
      lacks: z.array(z.string()).default([]),
      /** A number of what the tools said stands in it. */
      grounded: z.boolean().default(false),
    })
    .prefault({}),
});

export type EvalRequest = z.output<typeof requestSchema> & { readonly group: string };

const folder = new URL('requests/', import.meta.url);

/** All of them, in the order of their groups' names. @throws for a file that is not as above, or an id twice */
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
