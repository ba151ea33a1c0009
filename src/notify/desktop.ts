import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { safeLine, safeText } from '../text/sanitize.ts';
import { type Notice, NoticeFailedError, type SendNotice } from './notice.ts';
import type { SenderFactory } from './sender.ts';

const MAX_TITLE_LENGTH = 120;
const MAX_BODY_LENGTH = 600;

/** A program that shows a desktop notification. It reads `input` from standard input. */
export interface DesktopNotificationCommand {
  readonly program: string;
  readonly args: readonly string[];
  readonly input?: string;
}

/**
 * Returns the command that shows a desktop notification on a platform. Title and body are passed after `--` or on
 * standard input, without control characters. They are never part of a script or shell command, so they can't inject
 * code.
 */
export function desktopNotificationCommand(
  notice: Pick<Notice, 'title' | 'body' | 'severity' | 'type'>,
  platform: NodeJS.Platform,
): DesktopNotificationCommand {
  const title = safeLine(notice.title, MAX_TITLE_LENGTH);
  const body = safeText(notice.body).trim().slice(0, MAX_BODY_LENGTH);
  if (platform === 'darwin') {
    const script = ['on run argv', 'display notification (item 2 of argv) with title (item 1 of argv)', 'end run'];
    return { program: 'osascript', args: [...script.flatMap((line) => ['-e', line]), '--', title, body] };
  }
  if (platform === 'win32') {
    const encoded = Buffer.from(TOAST_SCRIPT, 'utf16le').toString('base64');
    return {
      program: 'powershell.exe',
      args: ['-NoLogo', '-NoProfile', '-NonInteractive', '-EncodedCommand', encoded],
      input: JSON.stringify({ title, body }),
    };
  }
  const urgent = notice.severity === 'critical' || notice.type === 'approval';
  return {
    program: 'notify-send',
    args: [
      '--app-name=trade-agent',
      `--urgency=${urgent ? 'critical' : notice.severity === 'info' ? 'low' : 'normal'}`,
      '--category=im.received',
      '--',
      // notify-send rejects an empty summary.
      title === '' ? 'trade-agent' : title,
      escapeMarkup(body),
    ],
  };
}

/** Escapes the body, which is markup (Desktop Notifications, "Markup"). notify-send also unescapes backslashes. */
function escapeMarkup(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('\\', '\\\\');
}

/**
 * PowerShell script that shows a desktop notification. Text from standard input (JSON) becomes text nodes, never code.
 * The notification appears as PowerShell's, because Windows accepts only registered apps.
 */
const TOAST_SCRIPT = `
$ErrorActionPreference = 'Stop'
[Console]::InputEncoding = [Text.Encoding]::UTF8
$notice = [Console]::In.ReadToEnd() | ConvertFrom-Json
[void][Windows.UI.Notifications.ToastNotificationManager, Windows.UI.Notifications, ContentType = WindowsRuntime]
[void][Windows.Data.Xml.Dom.XmlDocument, Windows.Data.Xml.Dom, ContentType = WindowsRuntime]
$xml = [Windows.UI.Notifications.ToastNotificationManager]::GetTemplateContent([Windows.UI.Notifications.ToastTemplateType]::ToastText02)
$texts = $xml.GetElementsByTagName('text')
[void]$texts.Item(0).AppendChild($xml.CreateTextNode($notice.title))
[void]$texts.Item(1).AppendChild($xml.CreateTextNode($notice.body))
$app = '{1AC14E77-02E7-4E5D-B744-2EB1AE5198B7}\\WindowsPowerShell\\v1.0\\powershell.exe'
[Windows.UI.Notifications.ToastNotificationManager]::CreateToastNotifier($app).Show([Windows.UI.Notifications.ToastNotification]::new($xml))
`;

export function createDesktopNotifier(env: NodeJS.ProcessEnv, platform: NodeJS.Platform): SendNotice {
  return async (notice, signal) => {
    signal.throwIfAborted();
    const { spawn } = await import('node:child_process');
    const { program, args, input } = desktopNotificationCommand(notice, platform);
    const child = spawn(program, args, {
      env: desktopNotifierEnvironment(env, platform),
      stdio: [input === undefined ? 'ignore' : 'pipe', 'ignore', 'ignore'],
      windowsHide: true,
    });
    const kill = () => child.kill('SIGKILL');
    signal.addEventListener('abort', kill, { once: true });
    try {
      await new Promise<void>((resolve, reject) => {
        child.once('error', (error: NodeJS.ErrnoException) =>
          reject(
            new NoticeFailedError(
              'unavailable',
              error.code === 'ENOENT'
                ? `${program}, which shows notices, is not installed`
                : `${program} can't be started (${error.code ?? 'unknown error'})`,
            ),
          ),
        );
        child.once('close', (code) => {
          if (code === 0) resolve();
          // Not a permanent failure: under cron, there may be no desktop now but one later.
          else reject(new NoticeFailedError('unavailable', `${program} exited with code ${code ?? 'none'}`));
        });
        // The program may exit before it has read all input. The exit code is reported instead of this error.
        child.stdin?.on('error', () => undefined);
        child.stdin?.end(input);
      });
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    } finally {
      signal.removeEventListener('abort', kill);
    }
  };
}

const passedVariables = [
  ...'PATH HOME USER LOGNAME LANG LC_ALL DISPLAY WAYLAND_DISPLAY XAUTHORITY XDG_RUNTIME_DIR'.split(' '),
  ...'DBUS_SESSION_BUS_ADDRESS SystemRoot SystemDrive USERPROFILE TEMP'.split(' '),
];

/**
 * Returns the minimal environment for the notification program. Adds the session bus's default address, which cron does
 * not set.
 */
export function desktopNotifierEnvironment(
  env: NodeJS.ProcessEnv,
  platform: NodeJS.Platform,
  uid = process.getuid?.(),
): NodeJS.ProcessEnv {
  const child: NodeJS.ProcessEnv = {};
  for (const name of passedVariables) if (env[name] !== undefined) child[name] = env[name];
  if (platform !== 'linux' || child.DBUS_SESSION_BUS_ADDRESS !== undefined) return child;
  const folder = child.XDG_RUNTIME_DIR ?? `/run/user/${uid}`;
  const bus = join(folder, 'bus');
  return existsSync(bus) ? { ...child, XDG_RUNTIME_DIR: folder, DBUS_SESSION_BUS_ADDRESS: `unix:path=${bus}` } : child;
}

export const createDesktopSender: SenderFactory<'desktop'> = (_channel, _secret, { env, platform }) =>
  createDesktopNotifier(env, platform);
