import { z } from 'zod';

export const recordLineSchema = z.lazy(() =>
  z.looseObject({ seq: z.int(), at: z.string(), event: z.string(), hash: z.string() }),
);
export type RecordLine = z.output<typeof recordLineSchema>;

/** Faults of a line. The last three concern the signature or external anchor of the record up to that line. */
export const recordFaults = [
  ...(['changed', 'removed', 'added', 'unreadable'] as const),
  ...(['checkpoint', 'signer', 'anchor'] as const),
] as const;
export type RecordFault = (typeof recordFaults)[number];

/** Whether the record is intact, or else its first faulty line, counted from 1. */
export const recordVerdictSchema = z.lazy(() =>
  z.discriminatedUnion('ok', [
    z.object({ ok: z.literal(true), lines: z.int() }),
    z.object({
      ok: z.literal(false),
      line: z.int(),
      seq: z.int(),
      what: z.enum(recordFaults),
    }),
  ]),
);
export type RecordVerdict = z.output<typeof recordVerdictSchema>;
