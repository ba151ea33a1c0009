import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type {
  AgentData,
  FindingLine,
  RunLine,
  ScheduleLine,
} from '../../home/phone/dashboard/dashboard-data.ts';
import { databaseKey } from '../../secrets/database-key.ts';
import { defined } from '../../values/defined.ts';
import type { App } from '../app.ts';

/**
 * What the agent keeps on this machine: schedules and their runs, what rules have found, conversations.
 * @param ofAll whether what was found is of all the person's accounts, instead of the one that is meant
 */
export function agentData(app: App, ofAll: boolean): AgentData {
  return {
    schedules: async () => {
      const { listSchedules } = await import('../schedule/schedules.ts');
      return (await listSchedules(app)).map(({ schedule, next, overdue }): ScheduleLine => {
        const { id, name, timing } = schedule;
        return {
          id,
          name,
          when: 'cron' in timing ? `cron ${timing.cron}` : `at ${timing.at}`,
          next: iso(next[0]),
          overdue: iso(overdue),
        };
      });
    },
    runs: async (limit) => {
      const { scheduleLogs } = await import('../schedule/schedules.ts');
      return (await scheduleLogs(app, undefined, limit)).map(
        ({ schedule, started_at, status, found, findings, error }): RunLine => ({
          ...{ schedule, started_at, status, found, findings },
          ...defined({ error }),
        }),
      );
    },
    findings: () => standingFindings(app, ofAll),
    threads: async (limit) => (await (await app.agent({ model: 'builtin' })).threads()).slice(0, limit),
  };
}

/** By what checks of this profile and person remember; nothing where none was ever run. */
async function standingFindings(app: App, ofAll: boolean): Promise<FindingLine[]> {
  const [profile, home, session] = await Promise.all([app.profile(), app.home(), app.requireSession()]);
  const file = join(home.data, `checks.${profile.name}.db`);
  if (!existsSync(file)) return [];
  const entries = ofAll ? await app.accounts() : [await (await app.gateway()).account()];
  const { openCheckStore } = await import('../../store/sqlite/check-store.ts');
  const store = openCheckStore(file, (await databaseKey(await app.store())).toString('hex'));
  try {
    const found = entries.map(async (entry) => {
      if (entry.account === null) return [];
      const owner = { profile: `${profile.name}:${session.user.sub}`, account: entry.account };
      const at = 'label' in entry ? { account: `${entry.account} at ${entry.label}` } : {};
      return (await store.account(owner).remembered()).fired().map((one) => ({ ...one, ...at }));
    });
    return (await Promise.all(found))
      .flat()
      .toSorted((a, b) => b.since - a.since)
      .map(({ rule, subject, since, ...at }) => ({
        ...('account' in at ? { account: at.account } : {}),
        ...{ rule, subject, since: new Date(since).toISOString() },
      }));
  } finally {
    store.close();
  }
}

function iso(at: number | undefined): string | undefined {
  return at === undefined ? undefined : new Date(at).toISOString();
}
