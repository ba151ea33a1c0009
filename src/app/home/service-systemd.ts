import { dirname } from 'node:path';
import type { ServiceParts } from './service-parts.ts';

/** What systemd makes for the service, below /var/lib, and gives to its user. */
const STATE = 'trade-agent';

/**
 * A unit of a user of its own, which can write to the home and nowhere else (systemd.exec(5)). No
 * `MemoryDenyWriteExecute`: JavaScript is compiled while it runs.
 */
export function systemdUnit({ command, folder, user, lowPort }: ServiceParts): string {
  const inState = folder.startsWith(`/var/lib/${STATE}/`);
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
    'Type=exec',
    `User=${user}`,
    `Group=${user}`,
    `ExecStart=${command.map(quoted).join(' ')}`,
    'Restart=on-failure',
    'RestartSec=2',
    '# An order on its way is waited for.',
    'TimeoutStopSec=30',
    'UMask=0077',
    `StateDirectory=${STATE}`,
    'StateDirectoryMode=0700',
    ...(inState ? [] : [`ReadWritePaths=${quoted(dirname(folder))}`]),
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

/** A word of a command line or a path (systemd.service(5), "Command lines"): specifiers and variables stay as they are. */
function quoted(word: string): string {
  const plain = word.replaceAll('%', '%%').replaceAll('$', '$$$$');
  return /^[\w./:@+=%-]+$/.test(plain) ? plain : `"${plain.replace(/[\\"]/g, '\\$&')}"`;
}
