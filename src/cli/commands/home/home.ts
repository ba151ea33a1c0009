import { homedir } from 'node:os';
import { exitCodes } from '../../../app/exit-codes.ts';
import { homeNoticeChannels } from '../../../app/home/home-notices.ts';
import type { ServiceManager } from '../../../app/home/service.ts';
import type { HomeStatus, PairingLink } from '../../../app/home/users.ts';
import { safeLine } from '../../../text/sanitize.ts';
import { environmentName } from '../../../trading/environment.ts';
import { defined } from '../../../values/defined.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import type { Context } from '../../context/context.ts';
import { createChoiceOption } from '../../options/choice.ts';
import { parseListenAddress } from '../../options/listen-address.ts';
import { addListeningOptions } from '../../options/listening.ts';
import { addHomeBackupCommands } from './home-backup.ts';
import { addHomeBrokerCommands } from './home-broker.ts';
import { resolveHomeFolder } from './home-folder-option.ts';
import { addAcmeOptions, addHomeInitCommand, createPhoneOption } from './home-init.ts';
import { addHomeMigrateCommand } from './home-migrate.ts';
import { addHomeServeCommand } from './home-serve.ts';
import { addHomeGrantsCommands, addHomeUserCommands, userLines } from './home-user.ts';
import type { ReachOptions } from './init-answers.ts';

export function addHomeCommand(program: CliCommand): void {
  const home = program
    .command('home')
    .summary('run your own home: your account, your phone, your keys')
    .description(
      'Run your own home: identity provider, phone app, order gateway and your broker keys in one process, for one person or a family. Orders go to your own account, paper or live, once you have signed them on your phone. See docs/guide/HOME.md.',
    )
    .option('--home <folder>', "the home's folder (default: next to the agent's)")
    .examples(
      ['trade-agent home init', 'asks where your phone is, and for your broker; keys are hidden'],
      ['trade-agent home serve', 'serve until Ctrl-C'],
      ['trade-agent home pair', 'a link and a QR code for another phone'],
      ['trade-agent home doctor', 'check for problems'],
    );
  addHomeInitCommand(home);
  addHomeServeCommand(home);
  addHomeStatus(home);
  addHomePair(home);
  addHomeAddress(home);
  addHomeUserCommands(home);
  addHomeGrantsCommands(home);
  addHomeBrokerCommands(home);
  addHomeNotices(home);
  addHomeBackupCommands(home);
  addHomeMigrateCommand(home);
  addHomeService(home);
}

function addHomePair(home: CliCommand): void {
  home
    .command('pair')
    .description(
      'Print a single-use link and QR code that pair a phone with a user, valid for ten minutes. The first person to open the link can approve, so do not share it. Works while the home runs.',
    )
    .option('--user <name>', 'whose phone it is (default: the only user)')
    .examples(
      ['trade-agent home pair', 'scan it with the phone'],
      ['trade-agent home pair --user bob --output json', 'for scripts'],
    )
    .runs(async (context, { user }: { user?: string }, command: CliCommand) => {
      const { createPairingLink } = await import('../../../app/home/users.ts');
      const pairing = await createPairingLink(context, resolveHomeFolder(command), user);
      await showPairing(context, pairing);
    });
}

async function showPairing(context: Context, pairing: PairingLink): Promise<void> {
  const { io, output } = context;
  const { user, url, expiresAt } = pairing;
  if (output.format === 'text') {
    const { pairingText, showPairingCode } = await import('../../text/pairing.ts');
    await showPairingCode(context, pairing);
    io.talk(`${pairingText(pairing)}.`);
  }
  await output.result('home-pairing', { user, url, expires_at: expiresAt }, () => url);
}

function addHomeAddress(home: CliCommand): void {
  const address = home
    .command('address')
    .summary("change the home's address")
    .description("Change the home's address, and how phones reach it.")
    .examples(['trade-agent home address set --phone funnel', 'from this browser to your phone, anywhere']);
  const setting = address
    .command('set')
    .description(
      'Move a stopped home to another address. Phones must be paired again, and devices must sign in again. Proposals, mandates, keys, limits and the audit log are kept.',
    )
    .argument('[url]', 'https://NAME, or http://localhost:PORT (default: asks, or from --phone)')
    .addOption(createPhoneOption())
    .option('--listen <host:port>', 'the local address to listen on (default: from the address)', parseListenAddress);
  addAcmeOptions(addListeningOptions(setting))
    .examples(
      ['trade-agent home address set --phone funnel', 'any phone, through Tailscale'],
      ['trade-agent home address set https://home.example', 'behind a proxy on this machine'],
    )
    .exits(exitCodes.busy)
    .runs(async (context, url: string | undefined, options: ReachOptions, command: CliCommand) => {
      const { setHomeAddress } = await import('../../../app/home/set-address.ts');
      const { promptForPhone } = await import('./init-answers.ts');
      const reach = await promptForPhone(context, { ...options, ...defined({ address: url }) });
      const moved = await setHomeAddress(context, resolveHomeFolder(command), reach);
      const next = [
        'trade-agent home serve',
        `trade-agent config set profiles.home.issuer ${moved.address}`,
        `trade-agent config set profiles.home.gateway ${moved.address}`,
        'trade-agent login --profile home',
      ];
      await context.output.result(
        'home-address',
        { before: moved.before, address: moved.address, asked_again: moved.askedAgain, next },
        () =>
          [
            `The home's address is ${moved.address} (before: ${moved.before}).`,
            ...(moved.askedAgain === 0 ? [] : [`Your phone will ask again about ${moved.askedAgain} open proposals.`]),
            'Next, pair your phone again, and sign in on each device:',
            ...next.map((line) => `  ${line}`),
          ].join('\n'),
      );
    });
}

interface ServiceOptions {
  readonly kind?: ServiceManager;
  readonly user: string;
  readonly lowPort?: boolean;
}

const STATE_FOLDER = '/var/lib/trade-agent/home';

function addHomeService(home: CliCommand): void {
  home
    .command('service')
    .description(
      'Print a systemd unit that runs the home as a separate user, who can only write to the home; or a launchd agent on macOS. Writes and starts nothing; shows on stderr how to install it.',
    )
    .addOption(
      createChoiceOption('--kind <manager>', 'systemd or launchd (default: depends on the system)', [
        'systemd',
        'launchd',
      ]),
    )
    .option('--user <name>', 'the system user under systemd', 'trade-agent')
    .option('--low-port', 'allow it to listen on ports below 1024, such as 443')
    .examples(
      ['trade-agent home service', `for a home in ${STATE_FOLDER}`],
      ['trade-agent home service --low-port --home /srv/home', 'for a home that listens on 443'],
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
        folder: kind === 'systemd' && !named ? STATE_FOLDER : resolveHomeFolder(command),
      });
      for (const warning of warnings) context.io.talk(`warning: ${warning}`);
      await context.output.result('home-service', { kind, file, content, commands, warnings }, () => content.trimEnd());
      if (context.output.format !== 'text') return;
      context.io.talk('\nInstall it with:');
      for (const line of commands) context.io.talk(`  ${line}`);
    });
}

function addHomeStatus(home: CliCommand): void {
  home
    .command('status')
    .description(
      'Show the address of the home, whether it is running, its users and authenticators, and open proposals.',
    )
    .examples(['trade-agent home status --output json', 'for scripts'])
    .runs(async (context, _options: unknown, command: CliCommand) => {
      const { readHomeStatus } = await import('../../../app/home/users.ts');
      const status = await readHomeStatus(context, resolveHomeFolder(command));
      await context.output.result('home-status', { ...status }, () => statusLines(status).join('\n'));
    });

  home
    .command('doctor')
    .description(
      'Check the folder, user, disk, address, certificate, signatures, phones, broker and clock, and show how to fix problems. Changes nothing, and prints no secrets.',
    )
    .examples(['trade-agent home doctor', 'exits with 3 if there is something to do'])
    .exits(exitCodes.found)
    .runs(async (context, _options: unknown, command: CliCommand) => {
      const { runHomeDoctor } = await import('../../../app/home/doctor.ts');
      const { doctorFindingsText } = await import('../../text/findings.ts');
      const findings = await runHomeDoctor(context, resolveHomeFolder(command));
      const ok = findings.every(({ status }) => status === 'ok' || status === 'skip');
      await context.output.result('home-doctor', { ok, findings }, () => doctorFindingsText(context.io, findings));
      return ok ? exitCodes.done : exitCodes.found;
    });
}

function statusLines({ address, environment, served, signature, users, folder }: HomeStatus): string[] {
  return [
    `${address} (${environmentName(environment)}), ${served === null ? 'not running' : `running at ${served.url}, process ${served.pid}`}`,
    `signatures ${signature}; stored in ${folder}`,
    ...users.flatMap((user) => [
      ...userLines(user),
      `  ${user.open} open ${user.open === 1 ? 'proposal' : 'proposals'}, ${user.pushes} ${user.pushes === 1 ? 'browser' : 'browsers'} with push${tradingText(user.trading)}`,
    ]),
  ];
}

function tradingText({ state, since, until }: HomeStatus['users'][number]['trading']): string {
  if (state === 'active') return '';
  const words = state === 'halted' ? 'trading is halted' : 'positions can only be reduced';
  return `; ${words} since ${since ?? '?'}${until === null ? '' : `, until ${until}`}`;
}

function addHomeNotices(home: CliCommand): void {
  const notices = home
    .command('notices')
    .summary('manage additional notice channels of the owner')
    .description(
      'Manage the channels under "notices" in home.yaml, which notify the owner of pending approvals if no push arrives. They work like the channels of a profile (docs/guide/NOTICES.md).',
    )
    .examples(
      ['trade-agent home notices', 'the channels, and whether their secrets are set'],
      ['trade-agent home notices test ntfy', 'sends a test notice'],
    );
  const placeOf = async (command: CliCommand) => {
    const folder = resolveHomeFolder(command);
    const { requireOwnHomeFolder } = await import('../../../app/home/open-home.ts');
    const { readHomeSettings } = await import('../../../app/home/home-files.ts');
    requireOwnHomeFolder(folder);
    return homeNoticeChannels(folder, (await readHomeSettings(folder)).notices ?? {});
  };
  notices
    .command('list', { isDefault: true })
    .description('List the channels.')
    .examples(['trade-agent home notices list --output json', 'for scripts'])
    .runs(async (context, _options: unknown, command: CliCommand) => {
      const { listHomeNoticeChannels } = await import('../../../app/home/home-notices.ts');
      const channels = await listHomeNoticeChannels(await placeOf(command));
      await context.output.result('home-notices', { channels }, () =>
        channels.length === 0
          ? 'Only push is set up. Add a channel under "notices" in home.yaml (docs/guide/NOTICES.md).'
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
    .description('Send a test notice through a channel. Exits with 1 if it could not be sent.')
    .argument('<name>', 'a name from "home notices"')
    .examples(['trade-agent home notices test ntfy', 'sends a test notice'])
    .runs(async (context, name: string, _options: unknown, command: CliCommand) => {
      const { sendTestNotice } = await import('../../../app/notices/notice-place.ts');
      const { id, attempts } = await sendTestNotice(context, await placeOf(command), name);
      await context.output.result('notice-test', { channel: name, id, attempts }, () => `Sent through ${name}.`);
    });
  notices
    .command('set-secret')
    .description(
      "Store a channel's secret in the home. It is read from a prompt or from standard input, never from an argument.",
    )
    .argument('<name>', 'a name from "home notices"')
    .examples(['trade-agent home notices set-secret mail', 'asks for it (hidden)'])
    .runs(async (context, name: string, _options: unknown, command: CliCommand) => {
      const { setNoticeChannelSecret } = await import('../../../app/notices/notice-place.ts');
      const { readSecret } = await import('../../terminal/secret-input.ts');
      const { kind, words } = await setNoticeChannelSecret(await placeOf(command), name, (what) =>
        readSecret(context, `${what} (hidden): `),
      );
      await context.output.result(
        'notice-secret',
        { channel: name, kind },
        () => `The ${words} is stored in the home.`,
      );
    });
}
