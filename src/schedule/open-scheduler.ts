import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { TradeAgentError } from '../errors/errors.ts';
import { createCrontabScheduler } from './crontab.ts';
import { createLaunchdScheduler } from './launchd-agent.ts';
import type { RunSystemCommand } from './machine-command.ts';
import type { ResultExitCodes, Scheduler } from './scheduler.ts';
import type { SchedulerName } from './scheduler-names.ts';
import { createSystemdScheduler } from './systemd-timer.ts';

export interface SchedulerHost {
  readonly platform: NodeJS.Platform;
  readonly env: NodeJS.ProcessEnv;
  readonly userHome: string;
  readonly uid: number;
  readonly run: RunSystemCommand;
  /** Folder for the lock file that trade-agent's commands use for the crontab. */
  readonly folder: string;
  readonly results: ResultExitCodes;
}

export function createScheduler(name: SchedulerName, machine: SchedulerHost): Scheduler {
  switch (name) {
    case 'cron':
      return createCrontabScheduler(machine.run, join(machine.folder, 'crontab.lock'));
    case 'systemd': {
      const config = machine.env.XDG_CONFIG_HOME || join(machine.userHome, '.config');
      return createSystemdScheduler(machine.run, join(config, 'systemd', 'user'), machine.results);
    }
    case 'launchd':
      return createLaunchdScheduler(machine.run, join(machine.userHome, 'Library', 'LaunchAgents'), machine.uid);
  }
}

/**
 * Returns the name of the machine's scheduler. Cron is preferred to systemd, because a user's systemd timers stop at
 * logout by default.
 * @throws {TradeAgentError} `not_found`
 */
export function detectSchedulerName({ platform, env }: Pick<SchedulerHost, 'platform' | 'env'>): SchedulerName {
  if (platform === 'darwin') return 'launchd';
  if (platform !== 'win32' && isOnPath('crontab', env)) return 'cron';
  if (platform === 'linux' && isOnPath('systemctl', env)) return 'systemd';
  throw new TradeAgentError('not_found', 'this machine has no cron, systemd or launchd', {
    hint:
      platform === 'win32'
        ? 'Run "trade-agent check" from the Windows Task Scheduler, or use cron in WSL.'
        : 'Install cron, or run "trade-agent check" from another scheduler.',
  });
}

function isOnPath(name: string, env: NodeJS.ProcessEnv): boolean {
  return (env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return folder !== '';
    } catch {
      return false;
    }
  });
}
