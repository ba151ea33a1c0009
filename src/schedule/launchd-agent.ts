import { join } from 'node:path';
import { commandFailedError, type RunSystemCommand } from './machine-command.ts';
import { getFileMarker, markedFilesState, removeMarkedFiles, writeMarkedFiles } from './marked-files.ts';
import type { ScheduledCommand, Scheduler } from './scheduler.ts';

/** Returns a scheduler that uses launchd. @param folder where the user's agents are: `~/Library/LaunchAgents` */
export function createLaunchdScheduler(run: RunSystemCommand, folder: string, uid: number): Scheduler {
  const label = (id: string) => `trade-agent.schedule.${id}`;
  const file = (id: string) => join(folder, `${label(id)}.plist`);
  return {
    name: 'launchd',
    note: undefined,
    entry: (id, command, minutes) => [{ file: file(id), text: launchdAgentPlist(label(id), id, command, minutes) }],
    async install(id, entry) {
      writeMarkedFiles(id, entry);
      const answer = await run('launchctl', ['bootstrap', `gui/${uid}`, file(id)]);
      if (answer.code === 0) return;
      removeMarkedFiles(id, [file(id)]);
      throw commandFailedError('loading the agent', answer, 'Check whether "launchctl print gui/$UID" works.');
    },
    state: async ({ entry }) => markedFilesState(entry),
    async remove(id) {
      // The agent may not be loaded, so the exit code does not matter: its file is removed in any case.
      await run('launchctl', ['bootout', `gui/${uid}/${label(id)}`]);
      return removeMarkedFiles(id, [file(id)]);
    },
  };
}

/** Returns an agent's property list (launchd.plist(5)). After sleep, launchd starts an agent that missed a start. */
export function launchdAgentPlist(
  label: string,
  id: string,
  command: ScheduledCommand,
  minutes: readonly number[],
): string {
  const words = [command.node, command.script, ...command.args];
  const environment = Object.entries(command.environment);
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<!-- ${getFileMarker(id)} -->
<plist version="1.0">
<dict>
  <key>Label</key>
  <string>${xmlEscaped(label)}</string>
  <key>ProgramArguments</key>
  <array>
${words.map((word) => `    <string>${xmlEscaped(word)}</string>\n`).join('')}  </array>
  <key>EnvironmentVariables</key>
  <dict>
${environment.map(([name, value]) => `    <key>${name}</key>\n    <string>${xmlEscaped(value)}</string>\n`).join('')}  </dict>
  <key>StartCalendarInterval</key>
  <array>
${minutes.map((minute) => `    <dict>\n      <key>Minute</key>\n      <integer>${minute}</integer>\n    </dict>\n`).join('')}  </array>
  <key>ProcessType</key>
  <string>Background</string>
</dict>
</plist>
`;
}

function xmlEscaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
