import { resolve } from 'node:path';
import { exits } from '../../../app/exit-codes.ts';
import { TradeAgentError } from '../../../errors/errors.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import type { Context } from '../../context/context.ts';
import { descriptorNumber } from '../../options/choice.ts';
import { folderOf } from './folder-of.ts';

export function addHomeBackup(home: CliCommand): void {
  withPassphrase(
    home
      .command('backup')
      .description(
        'Writes everything of the home into one file, sealed under a passphrase of 12 or more characters; also while it is served.',
      )
      .argument('<file>', 'a new one'),
  )
    .examples(
      ['trade-agent home backup home.backup', 'asks for a passphrase'],
      ['trade-agent home backup /backups/home-$(date +%F) --passphrase-file backup.pass', 'for cron'],
    )
    .runs(async (context, file: string, options: PassphraseOptions, command: CliCommand) => {
      const { backupHome } = await import('../../../app/home/backup.ts');
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
    });

  withPassphrase(
    home
      .command('restore')
      .description(
        'Makes a home of a backup, in a folder that is not there yet. What was open then is withdrawn, agents sign in again, phones stay paired.',
      )
      .argument('<file>', 'what "home backup" wrote'),
  )
    .examples(['trade-agent home restore home.backup --home /srv/home', 'asks for its passphrase'])
    .exits(exits.busy)
    .runs(async (context, file: string, options: PassphraseOptions, command: CliCommand) => {
      const { restoreHome } = await import('../../../app/home/backup.ts');
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
    });
}

function withPassphrase(command: CliCommand): CliCommand {
  return command
    .option('--passphrase-file <file>', 'a file that holds the passphrase; 0600')
    .option('--passphrase-fd <number>', 'an open descriptor that holds it', descriptorNumber);
}

interface PassphraseOptions {
  readonly passphraseFile?: string;
  readonly passphraseFd?: number;
}

/**
 * The passphrase of a backup from a file, a descriptor, or a hidden prompt.
 * @param isNew asks twice: nobody could open what a typo sealed
 * @throws {TradeAgentError} `usage`
 */
async function readPassphrase(
  { io, signal }: Pick<Context, 'io' | 'signal'>,
  { passphraseFile, passphraseFd }: PassphraseOptions,
  isNew: boolean,
): Promise<string> {
  const { readSecretPlace } = await import('../../terminal/secret-file.ts');
  const text = await readSecretPlace({ file: passphraseFile, fd: passphraseFd }, 'the passphrase', signal);
  if (text !== undefined) return text.replace(/\r?\n$/, '');
  if (!io.interactive) {
    throw new TradeAgentError('usage', 'the passphrase is missing', {
      hint: 'Name a file with --passphrase-file, or a descriptor with --passphrase-fd.',
    });
  }
  const { askSecret } = await import('../../terminal/secret-input.ts');
  const passphrase = await askSecret(io, 'Passphrase (not shown): ', signal);
  signal.throwIfAborted();
  if (isNew && (await askSecret(io, 'The same again: ', signal)) !== passphrase) {
    throw new TradeAgentError('usage', 'the two are not the same', {
      hint: 'Try again. Nothing was written.',
    });
  }
  return passphrase;
}
