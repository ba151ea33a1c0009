import { TradeAgentError } from '../../errors/errors.ts';
import { readDescriptor, readPrivateFile } from '../../machine/private-file.ts';

/** Maximum size of the file, in bytes. A secret is a passphrase or two lines. */
const MAX_SECRET_BYTES = 16 * 1024;

/**
 * Reads a secret from a private file or an open file descriptor. Returns undefined if neither is given. Errors never
 * contain the secret.
 * @param what describes the secret in error messages, such as `the broker's keys`
 * @throws {TradeAgentError} `usage`
 */
export async function readSecretFrom(
  { file, fd }: { readonly file?: string | undefined; readonly fd?: number | undefined },
  what: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (file !== undefined && fd !== undefined) {
    throw new TradeAgentError('usage', `${what} can't come from both a file and a descriptor`, {
      hint: 'Choose one of the two.',
    });
  }
  const unusable = (place: string) => (why: string) =>
    new TradeAgentError('usage', `${place} with ${what} can't be used: ${why}`, {
      hint: 'Only the file’s owner may have access: run "chmod 600" on the file.',
    });
  if (file !== undefined) {
    const text = readPrivateFile(file, MAX_SECRET_BYTES, unusable(file));
    if (text !== undefined) return text;
    throw new TradeAgentError('usage', `there is no file ${file} with ${what}`, {
      hint: 'Correct the path.',
    });
  }
  if (fd === undefined) return undefined;
  return await readDescriptor(fd, MAX_SECRET_BYTES, unusable(`descriptor ${fd}`), signal);
}
