import { randomBytes } from 'node:crypto';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { TradeAgentError } from '../../errors/errors.ts';

/**
 * Writes a report whole or not at all, for its owner's eyes (0600). Unlike the program's own files it makes no folder:
 * a misspelt path should say so.
 * @returns what went wrong, if something did: a report that can't be written must not hide what it says
 */
export function writeReportFile(file: string, content: string): TradeAgentError | undefined {
  const temporary = `${file}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`;
  try {
    writeFileSync(temporary, content, { mode: 0o600, flag: 'wx' });
    renameSync(temporary, file);
    return undefined;
  } catch (error) {
    rmSync(temporary, { force: true });
    const { code } = error as NodeJS.ErrnoException;
    return new TradeAgentError('usage', `the report ${file} can't be written (${code ?? 'unknown error'})`, {
      hint: 'Name a file in a folder that exists and that you may write to.',
    });
  }
}
