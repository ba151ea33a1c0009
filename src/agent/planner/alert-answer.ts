import { z } from 'zod';

const one = z.lazy(() =>
  z.object({ name: z.string(), enabled: z.boolean(), snoozed_until: z.string().nullable() }),
);
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
const listed = z.lazy(() => one.unwrap().extend({ when: z.string() }));
const list = z.lazy(() => z.object({ ...care(), alerts: z.array(listed), count: z.number() }));
const removed = z.lazy(() => z.object({ removed: z.array(listed) }));
const schedule = z.lazy(() =>
  z.object({ schedule: z.string(), when: z.string(), is_new: z.boolean(), with: z.string() }),
);

export function alertAnswer(tool: string, content: unknown): string {
  switch (tool) {
    case 'set_alert':
      return setWords(set.parse(content));
    case 'list_alerts':
      return listWords(list.parse(content));
    case 'remove_alert':
      return removed
        .parse(content)
        .removed.map(({ name, when }) => `You are not told any more when ${when} (\`${name}\`).`)
        .join('\n');
    default: {
      const { schedule: id, when, is_new, with: by } = schedule.parse(content);
      return is_new
        ? `Your alerts are looked at ${when}: schedule ${id}, by ${by}.${by === 'server' ? '' : ` \`trade-agent schedule remove ${id}\` takes it out.`}`
        : `Your alerts are looked at ${when} already: schedule ${id}.`;
    }
  }
}

function setWords(answer: z.output<typeof set>): string {
  const { alert, when, is_new, is_so_now, last_in_words } = answer;
  const now = last_in_words === undefined ? '' : ` It is at ${last_in_words} now.`;
  return [
    `${is_new ? 'You are told, once,' : 'You are told already'} when ${when} (\`${alert.name}\`).${now}${is_so_now ? ' That is so now: the next look tells it.' : ''}`,
    ...careWords(answer),
  ].join('\n');
}

function listWords(answer: z.output<typeof list>): string {
  const { alerts, count } = answer;
  if (count === 0) return 'You have no alerts. For example: "tell me when AAPL falls below 180".';
  const more = count > alerts.length ? [`- … and ${count - alerts.length} more`] : [];
  return [
    'You are told when',
    ...alerts.map(({ name, when, enabled, snoozed_until: until }) => {
      const off = enabled ? (until === null ? '' : `, not before ${until}`) : ', off';
      return `- ${when} (\`${name}\`${off})`;
    }),
    ...more,
    ...careWords(answer).map((line) => `\n${line}`),
  ].join('\n');
}

function careWords({ looked_at_by, told_by }: { looked_at_by: string[]; told_by: string[] }): string[] {
  return [
    ...(looked_at_by.length > 0
      ? []
      : ['Nothing looks at your alerts yet: say "check my alerts every 15 minutes".']),
    ...(told_by.length > 0
      ? []
      : ['No channel tells you yet: `trade-agent notices add NAME KIND` adds one (docs/guide/NOTICES.md).']),
  ];
}
