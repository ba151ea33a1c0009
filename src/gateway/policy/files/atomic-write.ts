import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { TradeAgentError } from '../../../errors/errors.ts';
import { readPrivateFile, writePrivateFile } from '../../../machine/private-file.ts';

/** New texts by path in the folder; null deletes the file. */
export type FileTexts = Readonly<Record<string, string | null>>;

/** File that lists the rule files being written, with their new texts. */
const PENDING_WRITE_FILE = 'policy-change.json';
const LONGEST = 4 * 1024 * 1024;

const names = /^(?:limits\.yaml|policies\/[a-z0-9][a-z0-9-]{0,40}\.cedar)$/;
const textsSchema = z.record(z.string().regex(names), z.string().nullable());

/**
 * Writes several rule files (mode 0600) as if at once. First notes all texts in a file: if the process dies in between,
 * {@link finishWriting} completes the write from this note.
 */
export function writeAtomically(folder: string, texts: FileTexts): void {
  writePrivateFile(join(folder, PENDING_WRITE_FILE), JSON.stringify(textsSchema.parse(texts)));
  finishWriting(folder);
}

/** Completes an interrupted write. @throws {TradeAgentError} `invalid_config` if the note is unreadable */
export function finishWriting(folder: string): void {
  const note = join(folder, PENDING_WRITE_FILE);
  const unusable = (why: string) =>
    new TradeAgentError('invalid_config', `${note} can't be used: ${why}`, {
      hint: 'It is an interrupted change of the rules. Check limits.yaml and policies/, then remove it.',
      details: { file: note },
    });
  const text = readPrivateFile(note, LONGEST, unusable);
  if (text === undefined) return;
  for (const [name, content] of Object.entries(textsOf(text, unusable))) {
    if (content === null) rmSync(join(folder, name), { force: true });
    else writePrivateFile(join(folder, name), content);
  }
  rmSync(note);
}

function textsOf(text: string, unusable: (why: string) => Error): FileTexts {
  try {
    return textsSchema.parse(JSON.parse(text));
  } catch {
    throw unusable('it does not list the files to write');
  }
}
