import { TradeAgentError } from '../../../errors/errors.ts';
import type { Context } from '../../context.ts';

export interface PassphraseOptions {
  readonly passphraseFile?: string;
  readonly passphraseFd?: number;
}

/**
 * The passphrase of a backup: from a file, a descriptor, or asked for without showing it.
 * @param isNew it is asked for twice: nobody could open what a slip of the finger sealed
 * @throws {TradeAgentError} `usage`
 */
export async function readPassphrase(
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
