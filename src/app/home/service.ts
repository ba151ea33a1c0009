import { isAbsolute, join } from 'node:path';
import { TradeAgentError } from '../../errors/errors.ts';
import { launcher } from '../launcher.ts';
import type { ServiceDescription, ServiceOptions, ServiceParts } from './service-parts.ts';
import { systemdUnit } from './service-systemd.ts';

/**
 * A systemd unit or a launchd agent that serves a home. Writes nothing.
 * @throws {TradeAgentError} `usage`
 */
export function describeService(options: ServiceOptions): ServiceDescription {
  const { folder, user, kind } = options;
  if (!isAbsolute(folder) || /[\n\r\0]/.test(folder)) {
    throw new TradeAgentError('usage', 'the folder of a service must be a whole path', {
      hint: 'Write it from / on: --home /var/lib/trade-agent/home.',
    });
  }
  if (!/^[a-z_][a-z0-9_-]{0,31}$/.test(user)) {
    throw new TradeAgentError('usage', `"${user}" can't be the name of a user`, {
      hint: 'Use up to 32 small letters, digits, - and _.',
    });
  }
  const command = [process.execPath, launcher(), 'home', 'serve', '--home', folder];
  const parts = { ...options, command };
  return kind === 'systemd' ? systemd(parts) : launchd(parts);
}

function systemd(parts: ServiceParts): ServiceDescription {
  const { user, folder, command } = parts;
  const file = '/etc/systemd/system/trade-agent-home.service';
  const inHome = command.slice(0, 2).filter((path) => /^\/(?:home|root|Users)\//.test(path));
  return {
    kind: 'systemd',
    file,
    content: systemdUnit(parts),
    commands: [
      `sudo useradd --system --home-dir /var/lib/trade-agent --shell /usr/sbin/nologin ${user}`,
      `sudo install -d -o ${user} -g ${user} -m 0700 /var/lib/trade-agent`,
      `sudo -u ${user} trade-agent home init --home ${shell(folder)}`,
      `trade-agent home service | sudo tee ${file} > /dev/null`,
      'sudo systemctl daemon-reload',
      'sudo systemctl enable --now trade-agent-home',
    ],
    warnings: inHome.map(
      (path) =>
        `${path} is in a person's own folder, where ${user} can't read: install Node and trade-agent for all ("sudo npm install -g trade-agent"), then ask again`,
    ),
  };
}

function launchd(parts: ServiceParts): ServiceDescription {
  const file = join(parts.userFolder, 'Library/LaunchAgents/trade-agent.home.plist');
  return {
    kind: 'launchd',
    file,
    content: launchAgent(parts),
    commands: [
      `trade-agent home init --home ${shell(parts.folder)}`,
      `trade-agent home service --kind launchd > ${shell(file)}`,
      `launchctl bootstrap gui/$(id -u) ${shell(file)}`,
    ],
    warnings: ['it runs as you: whatever else runs as you can read the home'],
  };
}

/** For a POSIX shell. */
function shell(text: string): string {
  return /^[\w./:@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** A launch agent of whoever asks (launchd.plist(5)); its log is in the home. */
function launchAgent({ command, folder }: ServiceParts): string {
  const strings = command.map((word) => `    <string>${escaped(word)}</string>`);
  return `${[
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">',
    '<plist version="1.0">',
    '<dict>',
    '  <key>Label</key>',
    '  <string>trade-agent.home</string>',
    '  <key>ProgramArguments</key>',
    '  <array>',
    ...strings,
    '  </array>',
    '  <key>RunAtLoad</key>',
    '  <true/>',
    '  <key>KeepAlive</key>',
    '  <dict>',
    '    <key>SuccessfulExit</key>',
    '    <false/>',
    '  </dict>',
    '  <key>ExitTimeOut</key>',
    '  <integer>30</integer>',
    '  <key>Umask</key>',
    `  <integer>${0o077}</integer>`,
    '  <key>StandardErrorPath</key>',
    `  <string>${escaped(join(folder, 'home.log'))}</string>`,
    '</dict>',
    '</plist>',
  ].join('\n')}\n`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
