import { z } from 'zod';

/** `leaf` is the line's place in the record's tree, from 0; null until the line is sequenced. */
export const recordLineSchema = z.lazy(() =>
  z.looseObject({ leaf: z.int().nullable(), at: z.string(), event: z.string() }),
);
export type RecordLine = z.output<typeof recordLineSchema>;

/** Faults of a line, or of the stored hashes, checkpoints and external anchors of the record up to that line. */
export const recordFaults = [
  ...(['changed', 'removed', 'added', 'unreadable'] as const),
  ...(['tile', 'checkpoint', 'signer', 'anchor'] as const),
] as const;
export type RecordFault = (typeof recordFaults)[number];

/** Whether the record is intact, or else its first faulty line, counted from 1. `pending` lines are not in its tree yet. */
export const recordVerdictSchema = z.lazy(() =>
  z.discriminatedUnion('ok', [
    z.object({ ok: z.literal(true), lines: z.int(), pending: z.int() }),
    z.object({
      ok: z.literal(false),
      line: z.int(),
      what: z.enum(recordFaults),
    }),
  ]),
);
export type RecordVerdict = z.output<typeof recordVerdictSchema>;
