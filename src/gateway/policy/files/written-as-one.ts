import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { TradeAgentError } from '../../../errors/errors.ts';
import { readPrivateFile, writePrivateFile } from '../../../machine/private-file.ts';

/** Names below the folder, and what each is to hold; null for one that goes. */
export type FileTexts = Readonly<Record<string, string | null>>;

/** What is still to be written, while it is. */
const UNDER_WAY = 'policy-change.json';
const LONGEST = 4 * 1024 * 1024;

const names = /^(?:limits\.yaml|policies\/[a-z0-9][a-z0-9-]{0,40}\.cedar)$/;
const textsSchema = z.record(z.string().regex(names), z.string().nullable());

/**
 * Writes several files of the rules (0600) as one: a process that dies in between leaves a note of all of them, which
 * {@link finishWriting} carries out. Nothing else of this process runs meanwhile.
 */
export function writeAsOne(folder: string, texts: FileTexts): void {
  writePrivateFile(join(folder, UNDER_WAY), JSON.stringify(textsSchema.parse(texts)));
  finishWriting(folder);
}

/** Goes on with what an earlier process was writing. @throws {TradeAgentError} `invalid_config` for a note that is none */
export function finishWriting(folder: string): void {
  const note = join(folder, UNDER_WAY);
  const unusable = (why: string) =>
    new TradeAgentError('invalid_config', `${note} can't be used: ${why}`, {
      hint: 'It is a change of the rules that was cut off. Look at limits.yaml and policies/, then remove it.',
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
    throw unusable('it does not say what is to be written');
  }
}
