import { z } from 'zod';
import { time } from './parts.ts';

const alert = z.object({
  name: z.string().describe('the rule’s, in the rules file'),
  alert: z
    .object({
      symbol: z.string(),
      above: z.string().exactOptional().describe('dollars a share'),
      below: z.string().exactOptional().describe('dollars a share'),
      rises_by: z.string().exactOptional().describe('of the day, with its sign: 5%'),
      falls_by: z.string().exactOptional().describe('of the day, with its sign: 5%'),
    })
    .describe('a symbol and one condition'),
  enabled: z.boolean(),
  snoozed_until: time.nullable(),
});
const heard = {
  file: z.string().nullable().describe('the rules file that has them; null at a server'),
  looked_at_by: z.array(z.string()).describe('schedules, by name or id'),
  told_by: z.array(z.string()).describe('channels of notices'),
};

/** What the `alert` commands print. */
export const alertResults = {
  alerts: z.object({ alerts: z.array(alert), ...heard }),
  'alert-added': z.object({
    added: alert,
    is_new: z.boolean().describe('false where it was there already'),
    schedule: z.string().nullable().describe('the schedule that was written or changed for it, by id'),
    ...heard,
  }),
  'alert-removed': z.object({ removed: z.array(alert) }),
} as const satisfies Record<string, z.ZodObject>;
