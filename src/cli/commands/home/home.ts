import { homedir } from 'node:os';
import { exits } from '../../../app/exit-codes.ts';
import { homeNotices } from '../../../app/home/home-notices.ts';
import type { ServiceKind } from '../../../app/home/service.ts';
import type { HomeStatus, Pairing } from '../../../app/home/users.ts';
import { safeLine } from '../../../text/shown-text.ts';
import { environmentWord } from '../../../trading/environment.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import type { Context } from '../../context/context.ts';
import { choiceOption } from '../../options/choice.ts';
import { folderOf } from './folder-of.ts';
import { addHomeBackup } from './home-backup.ts';
import { addHomeBroker } from './home-broker.ts';
import { addHomeInit } from './home-init.ts';
import { addHomeServe } from './home-serve.ts';
import { addHomeUser, userLines } from './home-user.ts';

export function addHomeCommand(program: CliCommand): void {
  const home = program
    .command('home')
    .summary('a home of your own: your account, your phone, your keys')
    .description(
      'Runs a home of your own: identity provider, phone app, order gateway and your broker keys in one process, for one person or a family. Orders go to your own account, paper or live, once your phone has signed them. docs/guide/HOME.md leads through it.',
    )
    .option('--home <folder>', "the home's own folder (default: one beside the agent's)")
    .examples(
      ['trade-agent home init', 'six questions; keys are not shown'],
      ['trade-agent home serve', 'serve until Ctrl-C'],
      ['trade-agent home pair', 'a link and a QR code for another phone'],
      ['trade-agent home doctor', 'what is missing'],
    );
  addHomeInit(home);
  addHomeServe(home);
  addHomeStatus(home);
  addHomePair(home);
  addHomeUser(home);
  addHomeBroker(home);
  addHomeNotices(home);
  addHomeBackup(home);
  addHomeService(home);
}

function addHomePair(home: CliCommand): void {
  home
    .command('pair')
    .description(
      'Prints a link and a QR code that pair one phone with one person, once, within ten minutes. Whoever opens it first can approve from then on: show it to nobody else. Also while the home is served.',
    )
    .option('--user <name>', 'whose phone it is (default: the one who lives here)')
    .examples(
      ['trade-agent home pair', 'scan it with the phone'],
      ['trade-agent home pair --user bob --output json', 'for scripts'],
    )
    .runs(async (context, { user }: { user?: string }, command: CliCommand) => {
      const { pairPhone } = await import('../../../app/home/users.ts');
      const pairing = await pairPhone(context, folderOf(command), user);
      await showPairing(context, pairing);
    });
}

async function showPairing(context: Context, { user, url, expiresAt }: Pairing): Promise<void> {
  const { io, output } = context;
  if (output.format === 'text') {
    const { showQrCode } = await import('../../text/qr-code.ts');
    await showQrCode(context, url);
    io.talk(`Open it on ${user}'s phone within ten minutes; it works once.`);
  }
  await output.result('home-pairing', { user, url, expires_at: expiresAt }, () => url);
}

interface ServiceOptions {
  readonly kind?: ServiceKind;
  readonly user: string;
  readonly lowPort?: boolean;
}

const STATE_FOLDER = '/var/lib/trade-agent/home';

function addHomeService(home: CliCommand): void {
  home
    .command('service')
    .description(
      'Prints a systemd unit that serves the home as a user of its own, who can write to it and nowhere else; or a launchd agent on macOS. Writes and starts nothing: how to install it is told on stderr.',
    )
    .addOption(
      choiceOption('--kind <manager>', 'systemd or launchd (default: by the system)', ['systemd', 'launchd']),
    )
    .option('--user <name>', 'the user it runs as under systemd', 'trade-agent')
    .option('--low-port', 'let it listen below port 1024, as at 443')
    .examples(
      ['trade-agent home service', `for a home in ${STATE_FOLDER}`],
      ['trade-agent home service --low-port --home /srv/home', 'one that listens at 443'],
    )
    .runs(async (context, options: ServiceOptions, command: CliCommand) => {
      const { describeService } = await import('../../../app/home/service.ts');
      const { kind = process.platform === 'darwin' ? 'launchd' : 'systemd', user, lowPort = false } = options;
      const named = command.optsWithGlobals<{ home?: string }>().home !== undefined;
      const { file, content, commands, warnings } = describeService({
        kind,
        user,
        lowPort,
        userFolder: command.cli.env.HOME ?? homedir(),
        folder: kind === 'systemd' && !named ? STATE_FOLDER : folderOf(command),
      });
      for (const warning of warnings) context.io.talk(`warning: ${warning}`);
      await context.output.result('home-service', { kind, file, content, commands, warnings }, () =>
        content.trimEnd(),
      );
      if (context.output.format !== 'text') return;
      context.io.talk('\nIt goes to run with:');
      for (const line of commands) context.io.talk(`  ${line}`);
    });
}

function addHomeStatus(home: CliCommand): void {
  home
    .command('status')
    .description(
      'Says where the home is reached, whether it is served, who lives there, what they approve with, and what is open.',
    )
    .examples(['trade-agent home status --output json', 'for scripts'])
    .runs(async (context, _options: unknown, command: CliCommand) => {
      const { homeStatus } = await import('../../../app/home/users.ts');
      const status = await homeStatus(context, folderOf(command));
      await context.output.result('home-status', { ...status }, () => statusLines(status).join('\n'));
    });

  home
    .command('doctor')
    .description(
      'Checks folder, user, disk, address, certificate, signatures, phones, the broker and the clock, and says what to do. Changes nothing, and prints no secret.',
    )
    .examples(['trade-agent home doctor', 'exit 3 where there is something to do'])
    .exits(exits.found)
    .runs(async (context, _options: unknown, command: CliCommand) => {
      const { homeDoctor } = await import('../../../app/home/doctor.ts');
      const { findingsText } = await import('../../text/findings.ts');
      const findings = await homeDoctor(context, folderOf(command));
      const ok = findings.every(({ status }) => status === 'ok' || status === 'skip');
      await context.output.result('home-doctor', { ok, findings }, () => findingsText(context.io, findings));
      return ok ? exits.done : exits.found;
    });
}

function statusLines({ address, environment, served, signature, users, folder }: HomeStatus): string[] {
  return [
    `${address} (${environmentWord(environment)}), ${served === null ? 'not served now' : `served at ${served.url} by process ${served.pid}`}`,
    `signatures ${signature}; kept in ${folder}`,
    ...users.flatMap((user) => [
      ...userLines(user),
      `  ${user.open} open ${user.open === 1 ? 'proposal' : 'proposals'}, ${user.pushes} ${user.pushes === 1 ? 'browser' : 'browsers'} rung by push${tradingText(user.trading)}`,
    ]),
  ];
}

function tradingText({ state, since, until }: HomeStatus['users'][number]['trading']): string {
  if (state === 'active') return '';
  const words = state === 'halted' ? 'trading is halted' : 'positions may only be made smaller';
  return `; ${words} since ${since ?? '?'}${until === null ? '' : `, until ${until}`}`;
}

function addHomeNotices(home: CliCommand): void {
  const notices = home
    .command('notices')
    .summary('how the owner is told where no push arrives')
    .description(
      'The channels under "notices" of home.yaml, by which the owner is told of what waits for their phone where no push arrives: as those of a profile (docs/guide/NOTICES.md).',
    )
    .examples(
      ['trade-agent home notices', 'the channels, and whether they have their secrets'],
      ['trade-agent home notices test ntfy', 'sends a test now'],
    );
  const placeOf = async (command: CliCommand) => {
    const folder = folderOf(command);
    const { requireOwnFolder } = await import('../../../app/home/open-home.ts');
    const { readHomeSettings } = await import('../../../app/home/home-files.ts');
    requireOwnFolder(folder);
    return homeNotices(folder, (await readHomeSettings(folder)).notices ?? {});
  };
  notices
    .command('list', { isDefault: true })
    .description('Lists the channels.')
    .examples(['trade-agent home notices list --output json', 'for scripts'])
    .runs(async (context, _options: unknown, command: CliCommand) => {
      const { listHomeNotices } = await import('../../../app/home/home-notices.ts');
      const channels = await listHomeNotices(await placeOf(command));
      await context.output.result('home-notices', { channels }, () =>
        channels.length === 0
          ? 'Pushes alone: add a channel under "notices" of home.yaml (docs/guide/NOTICES.md).'
          : channels
              .map(
                ({ name, kind, enabled, to, secret }) =>
                  `${name}  ${kind}${enabled ? '' : ' (off)'} to ${safeLine(to)}, secret ${secret.replace('_', ' ')}`,
              )
              .join('\n'),
      );
    });
  notices
    .command('test')
    .description('Sends a test by one channel now; exit 1 when it could not be sent.')
    .argument('<name>', 'one of those that "home notices" shows')
    .examples(['trade-agent home notices test ntfy', 'sends one'])
    .runs(async (context, name: string, _options: unknown, command: CliCommand) => {
      const { testNotice } = await import('../../../app/notices/notice-place.ts');
      const { id, attempts } = await testNotice(context, await placeOf(command), name);
      await context.output.result('notice-test', { channel: name, id, attempts }, () => `Sent by ${name}.`);
    });
  notices
    .command('set-secret')
    .description(
      "Keeps a channel's secret in the home. It is asked for, or read from standard input; never an argument.",
    )
    .argument('<name>', 'one of those that "home notices" shows')
    .examples(['trade-agent home notices set-secret mail', 'asks for it, without showing it'])
    .runs(async (context, name: string, _options: unknown, command: CliCommand) => {
      const { setNoticeSecret } = await import('../../../app/notices/notice-place.ts');
      const { readSecret } = await import('../../terminal/secret-input.ts');
      const { kind, words } = await setNoticeSecret(await placeOf(command), name, (what) =>
        readSecret(context, `${what} (not shown): `),
      );
      await context.output.result(
        'notice-secret',
        { channel: name, kind },
        () => `The ${words} is kept in the home.`,
      );
    });
}
