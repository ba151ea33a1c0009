import { existsSync, realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { addAlert, parseAlerts, removeAlerts } from '../check/alerts.ts';
import { findProfile } from '../config/resolve-profile.ts';
import { TradeAgentError } from '../errors/errors.ts';
import { readFileIfExists, writeFileAtomically, writePrivateFile } from '../machine/private-file.ts';
import { withProcessLock } from '../machine/process-lock.ts';
import type { Schedule } from '../schedule/schedule.ts';
import type { SchedulerName } from '../schedule/scheduler-names.ts';
import { type AlertCoverage, type Alerts, type CheckTime, checkTimings } from '../tools/alerts.ts';
import { defined } from '../values/defined.ts';
import type { App } from './app.ts';
import { profileServerUrl } from './profile-server.ts';
import { openSchedules } from './schedule/schedule-context.ts';
import { addSchedule } from './schedule/schedules.ts';

/**
 * Returns the profile's alerts, from its server if it has one, or else from its alert file on this machine.
 * @throws {TradeAgentError} `login_required` if a server stores the alerts and nobody is signed in
 */
export async function openProfileAlerts(app: App): Promise<Alerts & { readonly file: string | undefined }> {
  if ((await profileServerUrl(app)) === undefined) {
    return { ...createLocalAlerts(app), file: (await alertFile(app)).file };
  }
  const { createRemoteAlerts } = await import('../agent/remote/remote-alerts.ts');
  return { ...createRemoteAlerts(await app.requireSession(), app), file: undefined };
}

/** Returns the profile's alerts on this machine, for the agent's tools and `trade-agent alert`. Contacts no server. */
export function createLocalAlerts(app: App): Alerts {
  return {
    async list() {
      const place = await alertFile(app);
      return { alerts: await parseAlerts(readAlertFile(place), place.file), ...alertCare(place) };
    },
    async add(alert, most) {
      const { place, result } = await changeAlertFile(app, async ({ file }, before) => {
        const { text, ...added } = await addAlert(before, file, alert, most);
        return { text, result: added };
      });
      return { ...result, ...alertCare(place) };
    },
    async remove(which) {
      const { result } = await changeAlertFile(app, async ({ file }, before) => {
        const { text, removed } = await removeAlerts(before, file, which);
        return { text, result: { removed } };
      });
      return result;
    },
    scheduleChecks: (every: CheckTime) => scheduleAlertChecks(app, every),
  };
}

function alertCare({ watching, channels }: AlertFile): AlertCoverage {
  return { looked_at_by: watching.map(({ name, id }) => name ?? id), told_by: channels };
}

interface AlertFile {
  /** Absolute path of the alert file, which may not exist yet. */
  readonly file: string;
  readonly profile: string;
  /** The profile's schedules that check this file, oldest first. */
  readonly watching: readonly Schedule[];
  readonly channels: readonly string[];
}

type AlertApp = Pick<App, 'home' | 'config' | 'profileName'>;

/**
 * Finds the profile's alert file: `alerts.PROFILE.yaml` next to `config.yaml` if it exists, or else the rules file of
 * the first schedule that has one. If neither exists, returns the path where `alerts.PROFILE.yaml` will be created.
 */
async function alertFile(app: AlertApp): Promise<AlertFile> {
  const [home, config, store] = await Promise.all([app.home(), app.config(), openSchedules(app)]);
  const profile = findProfile(config, app.profileName);
  const own = join(home.config, `alerts.${profile.name}.yaml`);
  const ofProfile = store.list().filter((schedule) => schedule.profile === profile.name);
  const used = ofProfile.find(({ check }) => check.rules !== undefined)?.check.rules;
  const file = existsSync(own) ? own : (used ?? own);
  return {
    file,
    profile: profile.name,
    watching: ofProfile.filter(({ check }) => check.rules !== undefined && isSameFile(check.rules, file)),
    channels: Object.entries(profile.notices ?? {}).flatMap(([name, { enabled }]) => (enabled ? [name] : [])),
  };
}

/** Reads the alert file. @throws {TradeAgentError} `invalid_config` */
function readAlertFile({ file }: Pick<AlertFile, 'file'>): string {
  try {
    return readFileIfExists(file) ?? '';
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new TradeAgentError('invalid_config', `${file} can't be read (${code})`, {
      hint: 'Fix its permissions.',
    });
  }
}

/** Changes the alert file under a lock. @param change returns the new text, and the result for the caller */
async function changeAlertFile<T>(
  app: AlertApp & Pick<App, 'signal'>,
  change: (place: AlertFile, text: string) => Promise<{ readonly text: string; readonly result: T }>,
): Promise<{ readonly place: AlertFile; readonly result: T }> {
  const lock = join((await app.home()).data, 'alerts.lock');
  return await withProcessLock(lock, { what: 'the alerts', waitMs: 10_000, signal: app.signal }, async () => {
    const place = await alertFile(app);
    const before = readAlertFile(place);
    const { text, result } = await change(place, before);
    if (text !== before) writeAlertFile(place.file, text);
    return { place, result };
  });
}

/** Writes the alert file. An existing file keeps its mode, and a symlink stays a symlink. */
function writeAlertFile(file: string, text: string): void {
  if (!existsSync(file)) {
    writePrivateFile(file, text);
    return;
  }
  const real = realpathSync(file);
  writeFileAtomically(real, text, statSync(real).mode & 0o777);
}

function isSameFile(one: string, two: string): boolean {
  const real = (file: string) => (existsSync(file) ? realpathSync(file) : file);
  return real(one) === real(two);
}

interface AlertCheckOptions {
  readonly with?: SchedulerName;
  /** Asks for the person's consent before anything is written. If absent, consent is assumed. */
  readonly agree?: (schedule: Schedule) => Promise<boolean>;
}

/**
 * Schedules checks of the profile's alerts on this machine, unless they are already scheduled. The checks send notices
 * but propose no orders.
 * @throws {TradeAgentError} the errors of `addSchedule`; `not_found` if there are no alerts
 */
export async function scheduleAlertChecks(app: App, every: CheckTime, options: AlertCheckOptions = {}) {
  // Only the first alert creates the file, and without the file, every run of the schedule would fail.
  const place = await alertFile(app);
  if (!existsSync(place.file)) {
    throw new TradeAgentError('not_found', 'there are no alerts to check', {
      hint: 'Create one first: say "tell me when AAPL falls below 180", or run trade-agent alert add.',
    });
  }
  const timing = checkTimings[every];
  const there = place.watching.find((one) => JSON.stringify(one.timing) === JSON.stringify(timing));
  if (there !== undefined) return { schedule: there.name ?? there.id, isNew: false, with: there.with };
  const { schedule } = await addSchedule(
    // Adding a schedule makes an app's sessions read-only, but this app must keep its scopes.
    { ...app, limitToReading: () => undefined },
    {
      ...('cron' in timing ? { cron: timing.cron, whenOpen: true } : { at: timing.at }),
      rules: place.file,
      approval: 'deny',
      ...defined({ with: options.with }),
    },
    options.agree ?? (async () => true),
  );
  return { schedule: schedule.id, isNew: true, with: schedule.with };
}
