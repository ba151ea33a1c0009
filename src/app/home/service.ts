import { dirname, isAbsolute, join } from 'node:path';
import { TradeAgentError } from '../../errors/errors.ts';
import { launcherPath } from '../launcher.ts';

export type ServiceManager = 'systemd' | 'launchd';

export interface ServiceOptions {
  readonly kind: ServiceManager;
  /** The home's folder. It may not exist yet. */
  readonly folder: string;
  readonly user: string;
  readonly lowPort: boolean;
  /** The caller's home directory, which contains the caller's launch agents. */
  readonly userFolder: string;
}

interface ServiceParts extends ServiceOptions {
  readonly command: readonly string[];
}

/**
 * Describes a systemd unit or launchd agent that serves a home, and the commands that install it.
 * @throws {TradeAgentError} `usage`
 */
export function describeService(options: ServiceOptions) {
  const { folder, user, kind } = options;
  if (!isAbsolute(folder) || /[\n\r\0]/.test(folder)) {
    throw new TradeAgentError('usage', "a service's folder must be an absolute path", {
      hint: 'Start it with /, as in --home /var/lib/trade-agent/home.',
    });
  }
  if (!/^[a-z_][a-z0-9_-]{0,31}$/.test(user)) {
    throw new TradeAgentError('usage', `"${user}" is not a valid user name`, {
      hint: 'Use up to 32 lowercase letters, digits, - and _.',
    });
  }
  const command = [process.execPath, launcherPath(), 'home', 'serve', '--home', folder];
  const parts = { ...options, command };
  return kind === 'systemd' ? systemd(parts) : launchd(parts);
}

function systemd(parts: ServiceParts) {
  const { user, folder, command } = parts;
  const file = '/etc/systemd/system/trade-agent-home.service';
  const inHome = command.slice(0, 2).filter((path) => /^\/(?:home|root|Users)\//.test(path));
  return {
    kind: parts.kind,
    file,
    content: systemdUnit(parts),
    commands: [
      `sudo useradd --system --home-dir /var/lib/trade-agent --shell /usr/sbin/nologin ${user}`,
      `sudo install -d -o ${user} -g ${user} -m 0700 /var/lib/trade-agent`,
      `sudo -u ${user} trade-agent home init --home ${shellQuote(folder)}`,
      `trade-agent home service | sudo tee ${file} > /dev/null`,
      'sudo systemctl daemon-reload',
      'sudo systemctl enable --now trade-agent-home',
    ],
    warnings: inHome.map(
      (path) =>
        `${path} is in a user's home directory, which ${user} can't read: install Node and trade-agent system-wide ("sudo npm install -g trade-agent"), then run this command again`,
    ),
  };
}

function launchd(parts: ServiceParts) {
  const file = join(parts.userFolder, 'Library/LaunchAgents/trade-agent.home.plist');
  return {
    kind: parts.kind,
    file,
    content: launchAgent(parts),
    commands: [
      `trade-agent home init --home ${shellQuote(parts.folder)}`,
      `trade-agent home service --kind launchd > ${shellQuote(file)}`,
      `launchctl bootstrap gui/$(id -u) ${shellQuote(file)}`,
    ],
    warnings: ['the service runs as your user, so any program that you run can read the home'],
  };
}

function shellQuote(text: string): string {
  return /^[\w./:@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Returns a launch agent for the caller (launchd.plist(5)). Its log file is in the home's folder. */
function launchAgent({ command, folder }: ServiceParts): string {
  const strings = command.map((word) => `    <string>${escapeXml(word)}</string>`);
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
    `  <string>${escapeXml(join(folder, 'home.log'))}</string>`,
    '</dict>',
    '</plist>',
  ].join('\n')}\n`;
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** Folder under /var/lib that systemd creates for the service's user. */
const STATE_DIRECTORY = 'trade-agent';

/**
 * Returns a systemd unit that runs the home as its own user, with write access only to the home's folder
 * (systemd.exec(5)). `MemoryDenyWriteExecute` is omitted, because V8 compiles JavaScript at run time.
 */
function systemdUnit({ command, folder, user, lowPort }: ServiceParts): string {
  const inState = folder.startsWith(`/var/lib/${STATE_DIRECTORY}/`);
  const capabilities = lowPort
    ? ['AmbientCapabilities=CAP_NET_BIND_SERVICE', 'CapabilityBoundingSet=CAP_NET_BIND_SERVICE']
    : ['AmbientCapabilities=', 'CapabilityBoundingSet='];
  return `${[
    '[Unit]',
    'Description=trade-agent home: identity provider, phone app and order gateway',
    'Wants=network-online.target',
    'After=network-online.target',
    '',
    '[Service]',
    'Type=notify',
    '# systemd-notify is a child of the main process.',
    'NotifyAccess=all',
    'WatchdogSec=60',
    `User=${user}`,
    `Group=${user}`,
    `ExecStart=${command.map(quoteUnitWord).join(' ')}`,
    'Restart=on-failure',
    'RestartSec=2',
    '# Time to finish orders that are being sent.',
    'TimeoutStopSec=30',
    'UMask=0077',
    `StateDirectory=${STATE_DIRECTORY}`,
    'StateDirectoryMode=0700',
    ...(inState ? [] : [`ReadWritePaths=${quoteUnitWord(dirname(folder))}`]),
    'NoNewPrivileges=yes',
    ...capabilities,
    'ProtectSystem=strict',
    'ProtectHome=yes',
    'PrivateTmp=yes',
    'PrivateDevices=yes',
    'ProtectClock=yes',
    'ProtectControlGroups=yes',
    'ProtectHostname=yes',
    'ProtectKernelLogs=yes',
    'ProtectKernelModules=yes',
    'ProtectKernelTunables=yes',
    'ProtectProc=invisible',
    'RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX',
    'RestrictNamespaces=yes',
    'RestrictRealtime=yes',
    'RestrictSUIDSGID=yes',
    'LockPersonality=yes',
    'RemoveIPC=yes',
    'SystemCallArchitectures=native',
    'SystemCallFilter=@system-service',
    'SystemCallFilter=~@privileged @resources',
    'SystemCallErrorNumber=EPERM',
    '',
    '[Install]',
    'WantedBy=multi-user.target',
  ].join('\n')}\n`;
}

/** Quotes a path or one word of a command line (systemd.service(5), "Command lines"). */
function quoteUnitWord(word: string): string {
  const plain = word.replaceAll('%', '%%').replaceAll('$', '$$$$');
  return /^[\w./:@+=%-]+$/.test(plain) ? plain : `"${plain.replace(/[\\"]/g, '\\$&')}"`;
}
