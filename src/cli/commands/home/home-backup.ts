import { resolve } from 'node:path';
import type { Command } from 'commander';
import { exits } from '../../../app/exit-codes.ts';
import { runCommand } from '../../cli.ts';
import { descriptorNumber } from '../../options/descriptor.ts';
import { examples, exitCodes } from '../../options/help.ts';
import type { Cli } from '../../surroundings.ts';
import type { FolderOf } from './folder-of.ts';
import type { PassphraseOptions } from './passphrase.ts';

export function addHomeBackup(home: Command, cli: Cli, folderOf: FolderOf): void {
  withPassphrase(
    home
      .command('backup')
      .description(
        'Writes everything of the home into one file, sealed under a passphrase of 12 or more characters; also while it is served.',
      )
      .argument('<file>', 'a new one'),
  )
    .addHelpText(
      'after',
      examples([
        ['trade-agent home backup home.backup', 'asks for a passphrase'],
        ['trade-agent home backup /mnt/b/home-$(date +%F) --passphrase-file /root/pass', 'for cron'],
      ]) + exitCodes([]),
    )
    .action((file: string, options: PassphraseOptions, command: Command) =>
      runCommand(cli, command, async (context) => {
        const [{ backupHome }, { readPassphrase }] = await Promise.all([
          import('../../../app/home/backup.ts'),
          import('./passphrase.ts'),
        ]);
        const passphrase = await readPassphrase(context, options, true);
        const done = await backupHome(context, {
          folder: folderOf(command),
          file: resolve(file),
          passphrase,
        });
        const { bytes, createdAt, address, files } = done;
        await context.output.result(
          'home-backup',
          { file: done.file, bytes, created_at: createdAt, address, files },
          () =>
            `${done.file}: ${files.length} files of ${address}, ${Math.ceil(bytes / 1024)} KiB. Without its passphrase nobody can open it.`,
        );
      }),
    );

  withPassphrase(
    home
      .command('restore')
      .description(
        'Makes a home of a backup, in a folder that is not there yet. What was open then is withdrawn, agents sign in again, phones stay paired.',
      )
      .argument('<file>', 'what "home backup" wrote'),
  )
    .addHelpText(
      'after',
      examples([['trade-agent home restore home.backup --home /srv/home', 'asks for its passphrase']]) +
        exitCodes([exits.busy]),
    )
    .action((file: string, options: PassphraseOptions, command: Command) =>
      runCommand(cli, command, async (context) => {
        const [{ restoreHome }, { readPassphrase }] = await Promise.all([
          import('../../../app/home/restore.ts'),
          import('./passphrase.ts'),
        ]);
        const passphrase = await readPassphrase(context, options, false);
        const restored = await restoreHome(context, {
          folder: folderOf(command),
          file: resolve(file),
          passphrase,
        });
        const { folder, address, createdAt, withdrawn, lookedUp } = restored;
        await context.output.result(
          'home-restore',
          { folder, address, created_at: createdAt, withdrawn, looked_up: lookedUp },
          () =>
            [
              `${folder} is the home of ${createdAt} at ${address}.`,
              ...(withdrawn + lookedUp === 0
                ? []
                : [`${withdrawn} open proposals are withdrawn; ${lookedUp} are looked up at the broker.`]),
              'Never serve it while the one it was made of is served. Look through "trade-agent home user list":',
              'a phone that was removed since is there again.',
            ].join('\n'),
        );
      }),
    );
}

function withPassphrase(command: Command): Command {
  return command
    .option('--passphrase-file <file>', 'a file that holds the passphrase; 0600')
    .option('--passphrase-fd <number>', 'an open descriptor that holds it', descriptorNumber);
}
