import { z } from 'zod';
import type { Say } from '../../text/phrase.ts';
import { type Alert, alertSchema, describeAlert } from '../../trading/alert.ts';
import { formatTimeWithZone } from '../../trading/date-words.ts';

const one = z.lazy(() => z.object({ name: z.string(), enabled: z.boolean(), snoozed_until: z.string().nullable() }));
const care = () => ({ looked_at_by: z.array(z.string()), told_by: z.array(z.string()) });
const set = z.lazy(() =>
  z.object({
    ...care(),
    alert: one,
    when: z.string(),
    is_new: z.boolean(),
    is_so_now: z.boolean(),
    last_in_words: z.string().optional(),
  }),
);
const listed = z.lazy(() => one.unwrap().extend({ when: z.string(), alert: alertSchema.optional() }));
const list = z.lazy(() => z.object({ ...care(), alerts: z.array(listed), count: z.number() }));
const removed = z.lazy(() => z.object({ removed: z.array(listed) }));
const schedule = z.lazy(() =>
  z.object({ schedule: z.string(), when: z.string(), is_new: z.boolean(), with: z.string() }),
);

/** Returns the answer about alerts, and about how often they are checked. */
export function formatAlertAnswer(
  tool: string,
  args: Record<string, unknown>,
  content: unknown,
  say: Say,
): string | undefined {
  switch (tool) {
    case 'set_alert':
      return setAlertAnswer(set.parse(content), args, say);
    case 'list_alerts':
      return alertListAnswer(list.parse(content), say);
    case 'remove_alert':
      return removed
        .parse(content)
        .removed.map((one) => say`You will no longer be notified when ${conditionOf(one, say)} (\`${one.name}\`).`)
        .join('\n');
    case 'add_schedule': {
      const { schedule: id, when, is_new, with: by } = schedule.parse(content);
      if (!is_new) return say`Your alerts are already checked ${when}: schedule ${id}.`;
      const checked = say`Your alerts are checked ${when}: schedule ${id}, run by ${by}.`;
      return by === 'server' ? checked : `${checked} ${say`To remove it, run \`trade-agent schedule remove ${id}\`.`}`;
    }
    default:
      return undefined;
  }
}

function setAlertAnswer(answer: z.output<typeof set>, args: Record<string, unknown>, say: Say): string {
  const { alert, when, is_new, is_so_now, last_in_words } = answer;
  const condition = conditionOf({ when, alert: alertSchema.safeParse(args).data }, say);
  const sentences = [
    is_new
      ? say`You will be notified once when ${condition} (\`${alert.name}\`).`
      : say`There is already an alert for when ${condition} (\`${alert.name}\`).`,
    ...(last_in_words === undefined ? [] : [say`It is now at ${last_in_words}.`]),
    ...(is_so_now ? [say`That is already the case, so the next check will notify you.`] : []),
  ];
  return [sentences.join(' '), ...missingCareHints(answer, say)].join('\n');
}

/** Describes the alert's condition. The tool describes it only in English. */
function conditionOf({ when, alert }: { when: string; alert?: Alert | undefined }, say: Say): string {
  return alert === undefined ? when : describeAlert(alert, say);
}

function alertListAnswer(answer: z.output<typeof list>, say: Say): string {
  const { alerts, count } = answer;
  if (count === 0) return say`You have no alerts. For example: "tell me when AAPL falls below 180".`;
  const more = count > alerts.length ? [`- … ${say`and ${count - alerts.length} more`}`] : [];
  return [
    say`You will be notified when`,
    ...alerts.map((one) => {
      const { name, enabled, snoozed_until: until } = one;
      const snoozed = until === null ? '' : `, ${say`snoozed until ${formatTimeWithZone(until, say)}`}`;
      return `- ${conditionOf(one, say)} (\`${name}\`${enabled ? snoozed : `, ${say`off`}`})`;
    }),
    ...more,
    ...missingCareHints(answer, say).map((line) => `\n${line}`),
  ].join('\n');
}

function missingCareHints(
  { looked_at_by, told_by }: { looked_at_by: string[]; told_by: string[] },
  say: Say,
): string[] {
  return [
    ...(looked_at_by.length > 0 ? [] : [say`Nothing checks your alerts yet. Try "check my alerts every 15 minutes".`]),
    ...(told_by.length > 0
      ? []
      : [
          say`You have no notification channel yet. Add one with \`trade-agent notices add NAME KIND\` (docs/guide/NOTICES.md).`,
        ]),
  ];
}
