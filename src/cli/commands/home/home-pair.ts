import type { Command } from 'commander';
import type { Pairing } from '../../../app/home/pair-phone.ts';
import { runCommand } from '../../cli.ts';
import type { Context } from '../../context.ts';
import { examples, exitCodes } from '../../options/help.ts';
import type { Cli } from '../../surroundings.ts';
import type { FolderOf } from './folder-of.ts';

export function addHomePair(home: Command, cli: Cli, folderOf: FolderOf): void {
  home
    .command('pair')
    .description(
      'Prints a link and a QR code that pair one phone with one person, once, within ten minutes. Whoever opens it first can approve from then on: show it to nobody else. Also while the home is served.',
    )
    .option('--user <name>', 'whose phone it is (default: the one who lives here)')
    .addHelpText(
      'after',
      examples([
        ['trade-agent home pair', 'scan it with the phone'],
        ['trade-agent home pair --user bob --output json', 'for scripts'],
      ]) + exitCodes([]),
    )
    .action(({ user }: { user?: string }, command: Command) =>
      runCommand(cli, command, async (context) => {
        const { pairPhone } = await import('../../../app/home/pair-phone.ts');
        const pairing = await pairPhone(context, folderOf(command), user);
        await showPairing(context, pairing);
      }),
    );
}

async function showPairing(context: Context, { user, url, expiresAt }: Pairing): Promise<void> {
  const { io, output } = context;
  if (output.format === 'text') {
    const { showQrCode } = await import('../../text/show-qr-code.ts');
    await showQrCode(context, url);
    io.talk(`Open it on ${user}'s phone within ten minutes; it works once.`);
  }
  await output.result('home-pairing', { user, url, expires_at: expiresAt }, () => url);
}
