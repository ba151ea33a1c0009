import { join } from 'node:path';
import { commandFailedError, type RunSystemCommand } from './machine-command.ts';
import { getFileMarker, markedFilesState, removeMarkedFiles, writeMarkedFiles } from './marked-files.ts';
import type { ResultExitCodes, ScheduledCommand, Scheduler } from './scheduler.ts';

/** Time between a run's own timeout and the time when systemd kills the run, in seconds. */
const GRACE_SECONDS = 60;

/**
 * Returns a scheduler that uses systemd's user timers.
 * @param folder where the user's units are: `~/.config/systemd/user`
 * @param results exit codes that do not count as failures
 */
export function createSystemdScheduler(run: RunSystemCommand, folder: string, results: ResultExitCodes): Scheduler {
  const names = (id: string) => ({ service: `trade-agent-${id}.service`, timer: `trade-agent-${id}.timer` });
  const control = async (what: string, ...args: string[]) => {
    const answer = await run('systemctl', ['--user', ...args]);
    if (answer.code !== 0)
      throw commandFailedError(what, answer, 'Check whether "systemctl --user status" works in this session.');
  };
  const files = (id: string) => Object.values(names(id)).map((name) => join(folder, name));
  return {
    name: 'systemd',
    note: 'User timers run only while you are logged in, unless you run "loginctl enable-linger".',
    entry: (id, command, minutes, timeoutMs) => [
      { file: join(folder, names(id).service), text: systemdServiceUnit(id, command, timeoutMs, results) },
      { file: join(folder, names(id).timer), text: systemdTimerUnit(id, minutes) },
    ],
    async install(id, entry) {
      writeMarkedFiles(id, entry);
      try {
        await control('loading the units', 'daemon-reload');
        await control('starting the timer', 'enable', '--now', names(id).timer);
      } catch (error) {
        removeMarkedFiles(id, files(id));
        throw error;
      }
    },
    state: async ({ entry }) => markedFilesState(entry),
    async remove(id) {
      const there = files(id);
      // The timer may not be loaded, so the exit code does not matter: its files are removed in any case.
      await run('systemctl', ['--user', 'disable', '--now', names(id).timer]);
      const removed = removeMarkedFiles(id, there);
      await run('systemctl', ['--user', 'daemon-reload']);
      return removed;
    },
  };
}

export function systemdServiceUnit(
  id: string,
  command: ScheduledCommand,
  timeoutMs: number,
  results: ResultExitCodes,
): string {
  const environment = Object.entries(command.environment).map(
    ([name, value]) => `Environment=${systemdQuoted(`${name}=${value}`)}`,
  );
  // A dollar sign begins a variable in ExecStart, but not in Environment.
  const words = [command.node, command.script, ...command.args].map((word) =>
    systemdQuoted(word).replaceAll('$', '$$$$'),
  );
  return `# ${getFileMarker(id)}
[Unit]
Description=trade-agent schedule ${id}

[Service]
Type=oneshot
${environment.map((line) => `${line}\n`).join('')}ExecStart=${words.join(' ')}
# ${results.map(({ code, meaning }) => `${code}: ${meaning}`).join('; ')}
SuccessExitStatus=${results.map(({ code }) => code).join(' ')}
TimeoutStartSec=${Math.ceil(timeoutMs / 1000) + GRACE_SECONDS}
`;
}

export function systemdTimerUnit(id: string, minutes: readonly number[]): string {
  const list = minutes.length === 60 ? '*' : minutes.map((minute) => String(minute).padStart(2, '0')).join(',');
  return `# ${getFileMarker(id)}
[Unit]
Description=wakes trade-agent schedule ${id}

[Timer]
OnCalendar=*-*-* *:${list}:00
AccuracySec=1s
Persistent=true

[Install]
WantedBy=timers.target
`;
}

/** Quotes a word with C escapes (systemd.syntax(7)). Doubles percent signs, because they begin specifiers. */
function systemdQuoted(text: string): string {
  const escaped = text.replaceAll('"', '\\"').replaceAll('%', '%%');
  return /^[A-Za-z0-9_./=:@+-]+$/.test(text) ? text : `"${escaped}"`;
}
