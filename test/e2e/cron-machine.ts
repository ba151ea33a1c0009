import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { accessSync, chmodSync, constants, mkdirSync } from 'node:fs';
import { join } from 'node:path';

/** Debian's cron in a mount namespace, with crontabs and a lock of its own. */
export interface CronMachine {
  within(command: readonly string[]): readonly [file: string, args: string[]];
  crontab(): string;
  installCrontab(text: string): void;
  /**
   * Starts the daemon.
   * @param clock the time its clock starts at, by the zone, and how many times as fast it goes; absent: real time
   */
  startCron(zone: string, clock?: { readonly at: string; readonly rate: number }): void;
  close(): void;
}

/** Why there can be none here; undefined where it can. */
export function cronMissing(): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'needs Linux and root';
  for (const file of ['/usr/sbin/cron', '/usr/bin/crontab', '/usr/bin/faketime', '/usr/bin/nsenter']) {
    try {
      accessSync(file, constants.X_OK);
    } catch {
      return `needs ${file}`;
    }
  }
  return spawnSync('unshare', ['--mount', 'true']).status === 0 ? undefined : 'needs mount namespaces';
}

/** @param folder for its crontabs */
export function openCronMachine(folder: string): CronMachine {
  const spool = join(folder, 'crontabs');
  mkdirSync(spool);
  chmodSync(spool, 0o1730);
  const daemons: ChildProcess[] = [];
  const holder = spawn(
    'unshare',
    [
      ...['--mount', '--propagation', 'private', 'sh', '-c'],
      'mount --bind "$1" /var/spool/cron/crontabs && mount -t tmpfs tmpfs /run && echo ready && exec cat',
      ...['sh', spool],
    ],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  const within: CronMachine['within'] = (command) => [
    'nsenter',
    ['--target', String(holder.pid), '--mount', '--', ...command],
  ];
  // Until it is mounted, a crontab would be the machine's own.
  const isMounted = () =>
    spawnSync(...within(['findmnt', '--noheadings', '/var/spool/cron/crontabs'])).status === 0 &&
    spawnSync(...within(['findmnt', '--noheadings', '--types', 'tmpfs', '/run'])).status === 0;
  for (let tries = 0; !isMounted(); tries++) {
    if (tries > 200) throw new Error('the namespace for cron was not made');
  }
  return {
    within,
    crontab: () => execFileSync(...within(['crontab', '-l']), { encoding: 'utf8' }),
    installCrontab: (text) => {
      execFileSync(...within(['crontab', '-']), { input: text });
    },
    startCron(zone, clock) {
      const cron = ['/usr/sbin/cron', '-f', '-L', '15'];
      const command = clock === undefined ? cron : ['/usr/bin/faketime', '-f', `@${clock.at} x${clock.rate}`, ...cron];
      const [file, args] = within(command);
      // A process group of its own: faketime stands between, and would leave the daemon behind.
      daemons.push(spawn(file, args, { env: { PATH: process.env.PATH, TZ: zone }, stdio: 'ignore', detached: true }));
    },
    close() {
      for (const { pid, exitCode } of daemons.splice(0)) {
        if (pid !== undefined && exitCode === null) process.kill(-pid, 'SIGTERM');
      }
      holder.kill('SIGTERM');
    },
  };
}
