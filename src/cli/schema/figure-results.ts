import { z } from 'zod';
import {
  dateSchema,
  decimalSchema,
  dollarsSchema,
  gainsSchema,
  holdingTermSchema,
  importedCountSchema,
  incompleteSymbolsSchema,
  lotMethodSchema,
  lotSideSchema,
  performanceSchema,
} from '../../tools/result-schemas.ts';
import { activityKinds } from '../../trading/activity.ts';
import { sides } from '../../trading/order.ts';

export const portfolioResultSchemas = {
  performance: performanceSchema,
  gains: gainsSchema,
  lots: z.object({
    method: lotMethodSchema,
    lots: z.array(
      z.object({
        symbol: z.string(),
        side: lotSideSchema,
        acquired: dateSchema.nullable(),
        qty: decimalSchema,
        cost: dollarsSchema.nullable(),
        value: dollarsSchema,
        gain: dollarsSchema.nullable().describe('unrealized'),
        term: holdingTermSchema,
        long_term_from: dateSchema.nullable(),
      }),
    ),
    incomplete: incompleteSymbolsSchema,
    imported: importedCountSchema,
    simulated: z.boolean(),
  }),
  import: z.object({
    id: z.string().describe('ID of the file; the same file always has the same ID'),
    file: z.string(),
    account: z.string(),
    dry_run: z.boolean(),
    taken: z
      .array(
        z.object({
          line: z.int(),
          at: z.string().describe('RFC 3339'),
          kind: z.enum(activityKinds),
          symbol: z.string().nullable(),
          side: z.enum(sides).nullable(),
          qty: decimalSchema.nullable(),
          price: decimalSchema.nullable(),
          amount: decimalSchema.nullable(),
        }),
      )
      .describe('activities imported by this command'),
    known: z.array(z.int()).describe('line numbers of activities that were already imported'),
    told_by_broker: z
      .array(z.int())
      .describe('line numbers of activities in the period that the broker covers; stored but not counted'),
    broker_since: dateSchema.nullable(),
    bad: z.array(z.object({ line: z.int(), reason: z.string() })),
    ignored_columns: z.array(z.string()),
    simulated: z.boolean(),
  }),
  imports: z.object({
    imports: z.array(z.object({ id: z.string(), file: z.string(), at: z.string(), rows: z.int() })),
  }),
  'import-undone': z.object({ id: z.string(), removed: z.int() }),
} as const satisfies Record<string, z.ZodObject>;
