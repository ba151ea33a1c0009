import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { findProfile } from '../../config/resolve-profile.ts';
import { TradeAgentError } from '../../errors/errors.ts';
import { writePrivateFile, writeWholeFile } from '../../machine/private-file.ts';
import { withProcessLock } from '../../machine/process-lock.ts';
import type { Schedule } from '../../schedule/schedule.ts';
import type { App } from '../app.ts';
import { scheduleStore } from '../schedule/schedule-context.ts';

/** Where a profile's alerts are kept, and what makes them heard. */
export interface AlertFile {
  /** Absolute. It may not be there yet. */
  readonly file: string;
  readonly profile: string;
  /** The profile's schedules that check by it, oldest first. */
  readonly watching: readonly Schedule[];
  /** The channels of the profile that are on. */
  readonly channels: readonly string[];
}

type Parts = Pick<App, 'home' | 'config' | 'profileName'>;

/**
 * The rules file that has the profile's alerts: its own, `alerts.PROFILE.yaml` beside `config.yaml`, where it is there; else
 * the one that its first schedule with a rules file checks by; else its own, to be made.
 */
export async function alertFile(app: Parts): Promise<AlertFile> {
  const [home, config, store] = await Promise.all([app.home(), app.config(), scheduleStore(app)]);
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

/** What the file says; empty where there is none. @throws {TradeAgentError} `invalid_config` */
export function alertText({ file }: Pick<AlertFile, 'file'>): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return '';
    throw new TradeAgentError('invalid_config', `${file} can't be read (${code})`, {
      hint: 'Correct its permissions.',
    });
  }
}

/** Changes the file while nobody else does. @param change gives its new text */
export async function changeAlertFile<T>(
  app: Parts & Pick<App, 'signal'>,
  change: (place: AlertFile, text: string) => Promise<{ readonly text: string; readonly result: T }>,
): Promise<{ readonly place: AlertFile; readonly result: T }> {
  const lock = join((await app.home()).data, 'alerts.lock');
  return await withProcessLock(lock, { what: 'the alerts', waitMs: 10_000, signal: app.signal }, async () => {
    const place = await alertFile(app);
    const before = alertText(place);
    const { text, result } = await change(place, before);
    if (text !== before) write(place.file, text);
    return { place, result };
  });
}

/** A file of the person's own keeps its mode, and a link to it stays one. */
function write(file: string, text: string): void {
  if (!existsSync(file)) {
    writePrivateFile(file, text);
    return;
  }
  const real = realpathSync(file);
  writeWholeFile(real, text, statSync(real).mode & 0o777);
}

function isSameFile(one: string, two: string): boolean {
  const real = (file: string) => (existsSync(file) ? realpathSync(file) : file);
  return real(one) === real(two);
}
