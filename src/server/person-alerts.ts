import { randomUUID } from 'node:crypto';
import { MAX_RULES_LENGTH } from '../agent/remote/protocol.ts';
import { createShortId } from '../agent/short-id.ts';
import { addAlert, parseAlerts, removeAlerts } from '../check/alerts.ts';
import { toPriceConditions } from '../check/conditions.ts';
import { parseRules } from '../check/load-rules.ts';
import { TradeAgentError } from '../errors/errors.ts';
import { READ_SCOPES } from '../oauth/scopes.ts';
import { timingRunTimes } from '../schedule/cron-expression.ts';
import { type Alerts, type CheckTime, checkTimings } from '../tools/alerts.ts';
import type { ServerDeps } from './server-deps.ts';
import {
  MAX_SCHEDULES,
  nextReviewTime,
  personNoticeChannels,
  personSchedules,
  type ServerSchedule,
} from './server-deps.ts';

/** Name of the schedule whose rules are the person's alerts. It runs on price changes and at intervals. */
const ALERTS_SCHEDULE = 'alerts';
const MAX_ALERTS = 100;
const DEFAULT_INTERVAL: CheckTime = '15m';
const CHECK_TIMEOUT_MS = 4 * 60_000;
const MAX_TRIES = 5;

export interface AlertRights {
  /** The caller's scopes, which limit what the schedule may read. */
  readonly scopes: readonly string[];
  readonly allowOffline: () => Promise<void>;
}

/** Returns a person's alerts, which the server stores and checks. */
export function personAlerts(
  deps: Pick<ServerDeps, 'database' | 'jobs' | 'sessions' | 'clock'>,
  person: string,
  rights: AlertRights,
): Alerts {
  const rows = personSchedules(deps, person);
  const find = async () => (await rows.find(ALERTS_SCHEDULE))?.schedule;
  const care = async (schedule: ServerSchedule | undefined) => ({
    looked_at_by: schedule === undefined ? [] : [schedule.name ?? schedule.id],
    told_by: Object.entries(await personNoticeChannels(deps, person).all()).flatMap(([name, { enabled }]) =>
      enabled ? [name] : [],
    ),
  });
  const revised = async (seen: ServerSchedule, to: ServerSchedule): Promise<boolean> =>
    await rows.revise(seen, { schedule: to, ...(await wakeConditions(to, deps.clock.now())) });
  const added = async (text: string): Promise<boolean> => {
    const now = deps.clock.now();
    const schedule = newSchedule(text, rights, now);
    const { outcome } = await rows.add(
      { schedule, key: randomUUID(), request: text, now, ...(await wakeConditions(schedule, now)) },
      MAX_SCHEDULES,
    );
    if (outcome === 'too_many') throw usageError(`you already have ${MAX_SCHEDULES} schedules, the maximum`);
    return outcome === 'added';
  };
  /**
   * Writes the rules, and removes the schedule if no rules are left. Returns false if another request changed them.
   */
  const written = async (seen: ServerSchedule | undefined, text: string): Promise<boolean> => {
    if (text === rulesText(seen)) return true;
    if (text.length > MAX_RULES_LENGTH) throw usageError('you have too many alerts');
    if (seen === undefined) return await added(text);
    if ((await parseRules(text, ALERTS_SCHEDULE)).rules.length > 0)
      return await revised(seen, { ...seen, check: { ...seen.check, rules: text } });
    await rows.remove(seen.id);
    if ((await rows.list()).length === 0) await deps.sessions.revokeOffline(person);
    return true;
  };
  const change = async <T>(work: (before: string) => Promise<T & { readonly text: string }>): Promise<T> => {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const seen = await find();
      const result = await work(rulesText(seen));
      if (await written(seen, result.text)) return result;
    }
    throw busyError();
  };
  return {
    async list() {
      const schedule = await find();
      return { alerts: await parseAlerts(rulesText(schedule), ALERTS_SCHEDULE), ...(await care(schedule)) };
    },
    async add(alert, most = MAX_ALERTS) {
      await rights.allowOffline();
      const made = await change((before) => addAlert(before, ALERTS_SCHEDULE, alert, Math.min(most, MAX_ALERTS)));
      return { added: made.added, isNew: made.isNew, ...(await care(await find())) };
    },
    async remove(which) {
      const { removed } = await change((before) => removeAlerts(before, ALERTS_SCHEDULE, which));
      return { removed };
    },
    async scheduleChecks(every) {
      const timing = checkTimings[every];
      for (let tries = 0; tries < MAX_TRIES; tries++) {
        const seen = await find();
        if (seen === undefined) {
          throw new TradeAgentError('not_found', 'there are no alerts to check', {
            hint: 'Set an alert first: "tell me when AAPL falls below 180", or trade-agent alert add.',
          });
        }
        const isNew = JSON.stringify(seen.timing) !== JSON.stringify(timing);
        if (!isNew || (await revised(seen, { ...seen, timing })))
          return { schedule: ALERTS_SCHEDULE, isNew, with: 'server' };
      }
      throw busyError();
    },
  };
}

function newSchedule(rules: string, { scopes }: AlertRights, now: number): ServerSchedule {
  return {
    id: createShortId('s', 10),
    name: ALERTS_SCHEDULE,
    timing: checkTimings[DEFAULT_INTERVAL],
    when_open: true,
    on_price: true,
    check: { rules, suggest: false, buy_only: false, approval: 'deny' },
    timeout_ms: CHECK_TIMEOUT_MS,
    scopes: READ_SCOPES.filter((scope) => scopes.includes(scope)),
    created_at: new Date(now).toISOString(),
  };
}

/**
 * Returns the schedule's next review time and its price conditions. If the timing depends on market days, the review is
 * due immediately, and the sweep computes the next time.
 */
async function wakeConditions({ timing, on_price, check }: ServerSchedule, now: number) {
  const next = 'cron' in timing ? timingRunTimes(timing, []).after(now, 1)[0] : now;
  const conditions = on_price === true ? toPriceConditions(await parseRules(check.rules ?? '', ALERTS_SCHEDULE)) : [];
  return { wakeAt: nextReviewTime(timing, next, now), conditions };
}

/** Returns the rules of the alerts. @throws {TradeAgentError} `usage` if the schedule uses the default rules */
function rulesText(schedule: ServerSchedule | undefined): string {
  if (schedule === undefined) return '';
  const { rules } = schedule.check;
  if (rules !== undefined) return rules;
  throw usageError(
    `your schedule "${ALERTS_SCHEDULE}" uses the default rules`,
    'Remove that schedule, then add it under another name.',
  );
}

const usageError = (message: string, hint = 'Remove one first.') => new TradeAgentError('usage', message, { hint });
const busyError = () =>
  new TradeAgentError('busy', 'the alerts are being changed by another request', { hint: 'Try again.' });
