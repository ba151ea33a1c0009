import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { TradeAgentError } from '../../../errors/errors.ts';
import { readPrivateFile, writePrivateFile } from '../../../machine/private-file.ts';

/** New contents by path in the folder; null deletes the file. */
export type FileContents = Readonly<Record<string, string | null>>;

/** File that lists the rule files that are being written, with their new contents. */
const PENDING_WRITE_FILE = 'policy-change.json';
const LONGEST = 4 * 1024 * 1024;

const names = /^(?:limits\.yaml|policies\/[a-z0-9][a-z0-9-]{0,40}\.cedar)$/;
const contentsSchema = z.record(z.string().regex(names), z.string().nullable());

/**
 * Replaces several rule files (mode 0600), either all of them or none. First writes all new contents to one pending
 * file. If the process dies before all files are replaced, {@link finishInterruptedWrite} completes the write from the
 * pending file.
 */
export function writeFilesAtomically(folder: string, contents: FileContents): void {
  writePrivateFile(join(folder, PENDING_WRITE_FILE), JSON.stringify(contentsSchema.parse(contents)));
  finishInterruptedWrite(folder);
}

/** Completes an interrupted write. @throws {TradeAgentError} `invalid_config` if the pending file is unreadable */
export function finishInterruptedWrite(folder: string): void {
  const pending = join(folder, PENDING_WRITE_FILE);
  const unusable = (why: string) =>
    new TradeAgentError('invalid_config', `${pending} can't be used: ${why}`, {
      hint: 'The file contains an interrupted change to the rules. Check limits.yaml and policies/, then remove the file.',
      details: { file: pending },
    });
  const text = readPrivateFile(pending, LONGEST, unusable);
  if (text === undefined) return;
  for (const [name, content] of Object.entries(parseContents(text, unusable))) {
    if (content === null) rmSync(join(folder, name), { force: true });
    else writePrivateFile(join(folder, name), content);
  }
  rmSync(pending);
}

function parseContents(text: string, unusable: (why: string) => Error): FileContents {
  try {
    return contentsSchema.parse(JSON.parse(text));
  } catch {
    throw unusable('it does not list the files to write');
  }
}
