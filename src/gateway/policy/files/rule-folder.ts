import { type BigIntStats, existsSync, lstatSync, readdirSync, rmSync, type Stats, statSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { isTradeAgentError, TradeAgentError } from '../../../errors/errors.ts';
import { findForgeryRisk, readPrivateFile, readTrustedFile, writePrivateFile } from '../../../machine/private-file.ts';
import { withProcessLock } from '../../../machine/process-lock.ts';
import type { RuleChange, RuleStore, RuleTexts } from '../../../store/rule-store.ts';
import { HttpProblem } from '../../../trading/http-problem.ts';

/** Name of the file with the limits, in the folder and in a database. */
export const LIMITS_FILE = 'limits.yaml';

/** Folders of the owner's rules and of the rules of the firm that runs the gateway. Root may own the firm's folder. */
export const ruleFolders = ['policies', 'firm'] as const;

/** Maximum wait for the lock, in milliseconds. A change holds it only for a few file operations. */
const LOCK_WAIT_MS = 10_000;

/**
 * Returns the store of the rules in a folder's `limits.yaml`, `policies/*.cedar` and `firm/*.cedar`. People also edit
 * these files by hand, so they are changed only under a lock on the folder, and only if nobody changed them after they
 * were read.
 */
export function createRuleFolder(folder: string): RuleStore {
  return {
    folder,
    version: async () => folderFingerprint(folder),
    async read() {
      // Computes the version before reading the files, so that an edit in between results in another version.
      const version = folderFingerprint(folder);
      return { version, texts: readRuleTexts(folder) };
    },
    replace: (read, { texts, note }, now, record) =>
      withFolderLock(folder, async () => {
        if (folderFingerprint(folder) !== read) return false;
        if (note !== undefined) await record(note, now);
        writeRules(() => writeFilesAtomically(folder, texts));
        return true;
      }),
    async recover() {
      if (existsSync(join(folder, PENDING_WRITE_FILE))) await withFolderLock(folder, async () => undefined);
    },
  };
}

/** Runs `work` while holding the folder's lock, after completing a write that was interrupted. */
async function withFolderLock<T>(folder: string, work: () => Promise<T>): Promise<T> {
  try {
    const options = { what: 'the rules', waitMs: LOCK_WAIT_MS };
    return await withProcessLock(join(folder, 'policy.lock'), options, async () => {
      writeRules(() => finishInterruptedWrite(folder));
      return await work();
    });
  } catch (error) {
    if (!isTradeAgentError(error)) throw error;
    throw new HttpProblem(503, 'service_busy', 'someone else is changing the rules', {
      hint: 'Try again in a moment.',
      cause: error,
    });
  }
}

/** Runs `write`. @throws {HttpProblem} 500 `service_busy` */
function writeRules(write: () => void): void {
  try {
    write();
  } catch (cause) {
    throw new HttpProblem(500, 'service_busy', 'the rules can’t be written at the moment', {
      hint: 'Ask the gateway’s operator to check the disk and the permissions of its folder.',
      cause,
    });
  }
}

/** File that lists the rule files that are being written, with their new contents. */
const PENDING_WRITE_FILE = 'policy-change.json';
const LONGEST_PENDING_WRITE = 4 * 1024 * 1024;

const names = /^(?:limits\.yaml|policies\/[a-z0-9][a-z0-9-]{0,40}\.cedar)$/;
/** New contents by path in the folder; null deletes the file. */
const contentsSchema = z.record(z.string().regex(names), z.string().nullable());

/**
 * Replaces several rule files (mode 0600), either all of them or none. First writes all new contents to one pending
 * file. If the process dies before all files are replaced, {@link finishInterruptedWrite} completes the write from the
 * pending file.
 */
function writeFilesAtomically(folder: string, contents: RuleChange['texts']): void {
  writePrivateFile(join(folder, PENDING_WRITE_FILE), JSON.stringify(contentsSchema.parse(contents)));
  finishInterruptedWrite(folder);
}

/** Completes an interrupted write. @throws {TradeAgentError} `invalid_config` if the pending file is unreadable */
export function finishInterruptedWrite(folder: string): void {
  const pending = join(folder, PENDING_WRITE_FILE);
  const unusablePending = (why: string) =>
    new TradeAgentError('invalid_config', `${pending} can't be used: ${why}`, {
      hint: 'The file contains an interrupted change to the rules. Check limits.yaml and policies/, then remove the file.',
      details: { file: pending },
    });
  const text = readPrivateFile(pending, LONGEST_PENDING_WRITE, unusablePending);
  if (text === undefined) return;
  for (const [name, content] of Object.entries(parseContents(text, unusablePending))) {
    if (content === null) rmSync(join(folder, name), { force: true });
    else writePrivateFile(join(folder, name), content);
  }
  rmSync(pending);
}

function parseContents(text: string, unusablePending: (why: string) => Error): RuleChange['texts'] {
  try {
    return contentsSchema.parse(JSON.parse(text));
  } catch {
    throw unusablePending('it does not list the files to write');
  }
}

/** Returns a fingerprint that changes whenever any file changes. */
function folderFingerprint(folder: string): string {
  const files = ruleFolders.flatMap((name) => [name, ...namesIn(join(folder, name)).map((one) => join(name, one))]);
  return [LIMITS_FILE, ...files].map((name) => `${name} ${stampOf(join(folder, name))}`).join('\n');
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    // Ignored, because reading the folder's files reports the error.
    return [];
  }
}

function stampOf(file: string): string {
  try {
    const stat: BigIntStats = statSync(file, { bigint: true });
    return [stat.dev, stat.ino, stat.size, stat.mtimeNs, stat.ctimeNs, stat.mode, stat.uid].join(' ');
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  }
}

/** Reads a folder's texts. @throws {TradeAgentError} `invalid_config` */
export function readRuleTexts(folder: string): RuleTexts {
  try {
    const limits = readLimitsText(folder);
    return { ...(limits === undefined ? {} : { [LIMITS_FILE]: limits }), ...readRuleFiles(folder) };
  } catch (error) {
    if (isTradeAgentError(error)) throw error;
    throw new TradeAgentError('invalid_config', 'the rules can’t be read', { cause: error });
  }
}

const LONGEST_LIMITS = 64 * 1024;

/** Returns the text of the folder's `limits.yaml`; undefined if there is none. */
export function readLimitsText(folder: string): string | undefined {
  const file = join(folder, LIMITS_FILE);
  return readPrivateFile(
    file,
    LONGEST_LIMITS,
    (why) =>
      new TradeAgentError('invalid_config', `${file} can't be used: ${why}`, {
        hint: 'The file limits trading, so only its owner may have access to it.',
        details: { file },
      }),
  );
}

const LONGEST_RULES = 256 * 1024;

/** Files that editors leave behind, which are ignored. */
const LEFTOVER = /^\.|~$|\.(?:bak|swp|tmp)$/;

/**
 * Reads rule files. A file with an unexpected name is an error: if it were ignored, nobody would notice that its rules
 * don't apply.
 */
function readRuleFiles(folder: string): RuleTexts {
  const texts = ruleFolders.flatMap((origin) => {
    const path = join(folder, origin);
    return ruleNames(path).map((name) => {
      const file = join(path, name);
      const read = origin === 'firm' ? readTrustedFile : readPrivateFile;
      const text = read(file, LONGEST_RULES, unusable(file));
      if (text === undefined) throw unusable(file)('it no longer exists');
      return [`${origin}/${name}`, text] as const;
    });
  });
  return Object.fromEntries(texts);
}

function ruleNames(path: string): string[] {
  let stat: Stats;
  try {
    stat = lstatSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return [];
    throw unusable(path)(`it can't be read (${code})`);
  }
  if (!stat.isDirectory()) throw unusable(path)('it is not a folder');
  const why = process.platform === 'win32' ? undefined : findForgeryRisk(stat);
  if (why !== undefined) throw unusable(path)(why);
  const names = readdirSync(path).filter((name) => !LEFTOVER.test(name));
  const other = names.find((name) => !name.endsWith('.cedar'));
  if (other !== undefined) throw unusable(join(path, other))('rule files must be named *.cedar');
  if (names.length > MAX_RULE_FILES) {
    throw unusable(path)(`it has ${names.length} files, but at most ${MAX_RULE_FILES} are allowed`);
  }
  return names.sort();
}

/** Maximum number of rule files of each origin. A decision with a thousand rules takes 5 ms. */
export const MAX_RULE_FILES = 100;

function unusable(file: string) {
  return (why: string) =>
    new TradeAgentError('invalid_config', `${file} can't be used: ${why}`, {
      hint: 'This folder controls trading, so only its owner may have write access.',
      details: { file },
    });
}
