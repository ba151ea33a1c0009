import { resolve } from 'node:path';
import { exitCodes } from '../../../app/exit-codes.ts';
import { TradeAgentError } from '../../../errors/errors.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import type { Context } from '../../context/context.ts';
import { parseFileDescriptor } from '../../options/choice.ts';
import { resolveHomeFolder } from './home-folder-option.ts';

export function addHomeBackupCommands(home: CliCommand): void {
  withPassphrase(
    home
      .command('backup')
      .description(
        'Back up the whole home to one file, encrypted with a passphrase of at least 12 characters. Works while the home runs.',
      )
      .argument('<file>', 'a new file'),
  )
    .examples(
      ['trade-agent home backup home.backup', 'asks for a passphrase'],
      ['trade-agent home backup /backups/home-$(date +%F) --passphrase-file backup.pass', 'for cron'],
    )
    .runs(async (context, file: string, options: PassphraseOptions, command: CliCommand) => {
      const { backupHome } = await import('../../../app/home/backup.ts');
      const passphrase = await readPassphrase(context, options, true);
      const done = await backupHome(context, {
        folder: resolveHomeFolder(command),
        file: resolve(file),
        passphrase,
      });
      const { bytes, createdAt, address, files } = done;
      await context.output.result(
        'home-backup',
        { file: done.file, bytes, created_at: createdAt, address, files },
        () =>
          `${done.file}: ${files.length} files of ${address}, ${Math.ceil(bytes / 1024)} KiB. Nobody can open it without the passphrase.`,
      );
    });

  withPassphrase(
    home
      .command('restore')
      .description(
        'Restore a home from a backup into a new folder. Proposals that were open at the time of the backup are withdrawn, agents must sign in again, and phones stay paired.',
      )
      .argument('<file>', 'a file from "home backup"'),
  )
    .examples(['trade-agent home restore home.backup --home /srv/home', 'asks for the passphrase'])
    .exits(exitCodes.busy)
    .runs(async (context, file: string, options: PassphraseOptions, command: CliCommand) => {
      const { restoreHome } = await import('../../../app/home/backup.ts');
      const passphrase = await readPassphrase(context, options, false);
      const restored = await restoreHome(context, {
        folder: resolveHomeFolder(command),
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
            'Never run the restored home while the original home is running. Check "trade-agent home user list":',
            'phones that you removed after the backup are paired again.',
          ].join('\n'),
      );
    });
}

function withPassphrase(command: CliCommand): CliCommand {
  return command
    .option('--passphrase-file <file>', 'a file with the passphrase (mode 0600)')
    .option('--passphrase-fd <number>', 'an open file descriptor with the passphrase', parseFileDescriptor);
}

interface PassphraseOptions {
  readonly passphraseFile?: string;
  readonly passphraseFd?: number;
}

/**
 * Reads a backup's passphrase from a file, a file descriptor, or a hidden prompt.
 * @param isNew whether the passphrase is for a new backup. If so, prompts twice, because a typo would make the backup
 * impossible to open.
 * @throws {TradeAgentError} `usage`
 */
async function readPassphrase(
  { io, signal }: Pick<Context, 'io' | 'signal'>,
  { passphraseFile, passphraseFd }: PassphraseOptions,
  isNew: boolean,
): Promise<string> {
  const { readSecretFrom } = await import('../../terminal/secret-file.ts');
  const text = await readSecretFrom({ file: passphraseFile, fd: passphraseFd }, 'the passphrase', signal);
  if (text !== undefined) return text.replace(/\r?\n$/, '');
  if (!io.interactive) {
    throw new TradeAgentError('usage', 'the passphrase is missing', {
      hint: 'Pass a file with --passphrase-file, or a descriptor with --passphrase-fd.',
    });
  }
  const { promptForSecret } = await import('../../terminal/secret-input.ts');
  const passphrase = await promptForSecret(io, 'Passphrase (hidden): ', signal);
  signal.throwIfAborted();
  if (isNew && (await promptForSecret(io, 'Enter the passphrase again: ', signal)) !== passphrase) {
    throw new TradeAgentError('usage', 'the passphrases do not match', {
      hint: 'Try again. Nothing was written.',
    });
  }
  return passphrase;
}
