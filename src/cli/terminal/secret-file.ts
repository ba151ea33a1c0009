import { TradeAgentError } from '../../errors/errors.ts';
import { readDescriptor, readPrivateFile } from '../../machine/private-file.ts';

/** Bytes; two lines, or a passphrase. */
const LONGEST = 16 * 1024;

/**
 * A script's secret, from a file only its owner can read or an open descriptor; undefined where neither is named. Errors
 * never contain it.
 * @param what for the message: `the broker's keys`
 * @throws {TradeAgentError} `usage`
 */
export async function readSecretPlace(
  { file, fd }: { readonly file?: string | undefined; readonly fd?: number | undefined },
  what: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (file !== undefined && fd !== undefined) {
    throw new TradeAgentError('usage', `${what} can't be in a file and a descriptor`, {
      hint: 'Name one of both.',
    });
  }
  const unusable = (place: string) => (why: string) =>
    new TradeAgentError('usage', `${place} with ${what} can't be used: ${why}`, {
      hint: 'Only its owner may be able to read it: "chmod 600" it.',
    });
  if (file !== undefined) {
    const text = readPrivateFile(file, LONGEST, unusable(file));
    if (text !== undefined) return text;
    throw new TradeAgentError('usage', `there is no file ${file} with ${what}`, {
      hint: 'Correct the path.',
    });
  }
  if (fd === undefined) return undefined;
  return await readDescriptor(fd, LONGEST, unusable(`descriptor ${fd}`), signal);
}
