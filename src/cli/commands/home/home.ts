import type { Pairing } from '../../../app/home/users.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import type { Context } from '../../context/context.ts';
import { folderOf } from './folder-of.ts';
import { addHomeBackup } from './home-backup.ts';
import { addHomeBroker } from './home-broker.ts';
import { addHomeInit } from './home-init.ts';
import { addHomeNotices } from './home-notices.ts';
import { addHomeServe } from './home-serve.ts';
import { addHomeService } from './home-service.ts';
import { addHomeStatus } from './home-status.ts';
import { addHomeUser } from './home-user.ts';

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
