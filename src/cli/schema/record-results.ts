import { z } from 'zod';
import { recordFaults } from '../../trading/record-line.ts';
import { time } from './parts.ts';

/** What commands about the gateway's record print. */
export const recordResults = {
  'gateway-audit': z.object({
    file: z.string(),
    ok: z.boolean().describe('whether no line was changed, removed or added'),
    lines: z.int().optional().describe('how many there are; absent where one is wrong'),
    line: z.int().optional().describe('the first that is wrong, counted from 1'),
    seq: z.int().optional().describe('the entry that belongs there'),
    what: z
      .enum([...recordFaults, 'kept'])
      .optional()
      .describe(
        'checkpoint, signer, anchor: the line signs something else, by another key, or vouches for nothing; kept: the checkpoint that was named is not in it',
      ),
    signed: z
      .object({
        checkpoints: z.int(),
        last: z.object({ seq: z.int(), day: z.string(), hash: z.string() }).nullable(),
        anchors: z.object({
          count: z.int(),
          unvouched: z.int().describe('by authorities whose certificates lead to none that are trusted'),
          late: z.int().describe('stamped more than three days after the day that they close'),
          last: z.object({ seq: z.int(), time, by: z.string() }).nullable(),
        }),
      })
      .optional(),
  }),
};
