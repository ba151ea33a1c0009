import { join } from 'node:path';
import type { ServiceParts } from './service-parts.ts';

/** A launch agent of whoever asks (launchd.plist(5)); its log is in the home. */
export function launchAgent({ command, folder }: ServiceParts): string {
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
