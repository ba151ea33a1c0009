import { lstatSync, readdirSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { TradeAgentError } from '../../../errors/errors.ts';
import { forged, readPrivateFile, readUnforgedFile } from '../../../machine/private-file.ts';
import type { RuleText } from './rule-text.ts';

const LONGEST_FILE = 256 * 1024;
/** A decision with a thousand rules takes 5 ms; more are nobody's own. */
const MOST_FILES = 100;

/** The folders beside limits.yaml: the owner's own rules, and those of the firm whose gateway it is, which may be root's. */
export const ruleFolders = ['policies', 'firm'] as const;

/** What an editor leaves behind. */
const LEFTOVER = /^\.|~$|\.(?:bak|swp|tmp)$/;

/**
 * The texts of `policies/*.cedar` and `firm/*.cedar`, by name. A file that may be meant as rules and isn't named so is
 * refused: it would be no rule, and nobody would notice.
 * @throws {TradeAgentError} `invalid_config`
 */
export function readRuleFiles(folder: string): RuleText[] {
  return ruleFolders.flatMap((origin) => {
    const path = join(folder, origin);
    const names = namesIn(path);
    if (names.length > MOST_FILES) {
      throw unusable(path)(`there are ${names.length} files in it, and it can have ${MOST_FILES}`);
    }
    return names.map((name) => {
      const file = join(path, name);
      const read = origin === 'firm' ? readUnforgedFile : readPrivateFile;
      const text = read(file, LONGEST_FILE, unusable(file));
      if (text === undefined) throw unusable(file)('it is gone');
      return { origin, file, text };
    });
  });
}

function namesIn(path: string): string[] {
  let stat: Stats;
  try {
    stat = lstatSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return [];
    throw unusable(path)(`it can't be read (${code})`);
  }
  if (!stat.isDirectory()) throw unusable(path)('it is not a folder');
  const why = process.platform === 'win32' ? undefined : forged(stat);
  if (why !== undefined) throw unusable(path)(why);
  const names = readdirSync(path).filter((name) => !LEFTOVER.test(name));
  const other = names.find((name) => !name.endsWith('.cedar'));
  if (other !== undefined) throw unusable(join(path, other))('rules are in files named *.cedar');
  return names.sort();
}

function unusable(file: string) {
  return (why: string) =>
    new TradeAgentError('invalid_config', `${file} can't be used: ${why}`, {
      hint: 'What is in this folder says what may be traded, so it must be its owner’s alone to write.',
      details: { file },
    });
}
