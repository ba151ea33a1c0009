import { z } from 'zod';
import { checkTimes, checkTimeTexts } from './alerts.ts';
import { defineTool, requireAlerts } from './tool.ts';

export const addSchedule = defineTool({
  name: 'add_schedule',
  title: 'Schedule alert checks',
  description:
    'Schedules checks of the user’s alerts on this machine: every 15m, 30m or 1h while the market is open, or once a day near open or close. The schedule only checks and notifies. Use it only if the user’s latest message explicitly asks for it.',
  schema: z.lazy(() => z.strictObject({ every: z.enum(checkTimes) })),
  scopes: [],
  risk: 'local',
  async execute(context, { every }) {
    const { schedule, isNew, with: by } = await requireAlerts(context).scheduleChecks(every);
    return {
      summary: `schedule ${schedule}: ${checkTimeTexts[every]}`,
      content: JSON.stringify({ schedule, every, when: checkTimeTexts[every], is_new: isNew, with: by }),
    };
  },
});
