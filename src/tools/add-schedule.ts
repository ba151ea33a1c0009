import { z } from 'zod';
import { lookTimes, lookWords } from './alerts.ts';
import { defineTool, requireAlerts } from './tool.ts';

export const addSchedule = defineTool({
  name: 'add_schedule',
  description:
    'Has this machine look at the user’s alerts: every 15m, 30m or 1h while the market is open, or once a day near open or close. It only looks and tells. Only where the user’s latest message asks for it in so many words.',
  schema: z.lazy(() => z.strictObject({ every: z.enum(lookTimes) })),
  scopes: [],
  risk: 'local',
  async execute(context, { every }) {
    const { schedule, isNew, with: by } = await requireAlerts(context).look(every);
    return {
      summary: `schedule ${schedule}: ${lookWords[every]}`,
      content: JSON.stringify({ schedule, every, when: lookWords[every], is_new: isNew, with: by }),
    };
  },
});
