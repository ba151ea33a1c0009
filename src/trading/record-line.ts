import { z } from 'zod';

/** One line of the gateway's record, as its owner is told of it: what it is about stands beside these. `at` is RFC 3339. */
export const recordLineSchema = z.lazy(() =>
  z.looseObject({ seq: z.int(), at: z.string(), event: z.string(), hash: z.string() }),
);
export type RecordLine = z.output<typeof recordLineSchema>;

/** Whether the record is whole; else its first line that is not, counted from 1. */
export const recordVerdictSchema = z.lazy(() =>
  z.discriminatedUnion('ok', [
    z.object({ ok: z.literal(true), lines: z.int() }),
    z.object({
      ok: z.literal(false),
      line: z.int(),
      seq: z.int(),
      what: z.enum(['changed', 'removed', 'added', 'unreadable']),
    }),
  ]),
);
export type RecordVerdict = z.output<typeof recordVerdictSchema>;
