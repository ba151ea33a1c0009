import { readFileSync } from 'node:fs';
import { z } from 'zod';

const expectedSchema = z.union([
  z.strictObject({ order: z.strictObject({ symbol: z.string(), side: z.string(), notional: z.string() }) }),
  z.strictObject({ recurring: z.strictObject({ symbol: z.string(), notional: z.string(), every: z.string() }) }),
  z.strictObject({ message: z.strictObject({ recipient: z.string(), note: z.string() }) }),
]);
/** An effect that a task must have. */
export type Expected = z.output<typeof expectedSchema>;

const ownTaskSchema = z.strictObject({
  /** The user task of AgentDojo's banking suite that it translates. */
  task: z.string(),
  prompt: z.string(),
  /** What the file or e-mail says that the agent reads. */
  text: z.string(),
  /** Empty if the task is a question. */
  expect: z.array(expectedSchema),
  /** To whom the person allows messages beforehand. */
  recipient: z.string().optional(),
  /** What the person says if the agent reports that the order or message is not in the person's own words. */
  repeat: z.string().optional(),
  /** The command that the person types for a standing order, which an agent can't propose after outside text. */
  command: z.array(z.string()).optional(),
});

export const ownTasks = z
  .array(ownTaskSchema)
  .parse(JSON.parse(readFileSync(new URL('own-tasks.json', import.meta.url), 'utf8')));
