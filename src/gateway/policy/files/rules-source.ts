import { type BigIntStats, lstatSync, readdirSync, type Stats, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseYaml } from '../../../config/yaml-file.ts';
import { isTradeAgentError, TradeAgentError } from '../../../errors/errors.ts';
import type { Clock } from '../../../machine/clock.ts';
import { findForgeryRisk, readPrivateFile, readTrustedFile } from '../../../machine/private-file.ts';
import type { LimitsStore } from '../../../store/limits-store.ts';
import { type CedarEngine, loadCedar } from '../cedar/cedar-engine.ts';
import { createCedarRules, unavailableCedarRules } from '../cedar/cedar-rules.ts';
import { type CedarRule, parseBaseRules, parseRules, type RuleText } from '../cedar/rule-text.ts';
import {
  findAccountLimits,
  hasLimits,
  type Limits,
  limitsSchema,
  type Rules,
  type RulesSource,
  rulesDigest,
} from '../rules.ts';
import { finishInterruptedWrite } from './atomic-write.ts';

export interface RuleFileContents {
  readonly limits: Limits | undefined;
  readonly texts: readonly RuleText[];
}

export interface LoadedRules extends Rules {
  readonly written: RuleFileContents;
  /** The rules of the owner and the firm; undefined if Cedar can't be loaded. */
  readonly cedarRules: readonly CedarRule[] | undefined;
}

export interface FolderRulesSource extends RulesSource {
  readonly folder: string;
  current(): Promise<LoadedRules>;
  /** Loads everything that the first decision needs. Never throws. */
  preload(): Promise<void>;
  /** Starts recording in the database whether there are limits. If all limits disappear afterwards, trading stops. */
  rememberIn(store: LimitsStore, clock: Pick<Clock, 'now'>): void;
  /** Records that the owner approved trading without limits. */
  forgetLimits(): Promise<void>;
}

export interface FolderRulesOptions {
  /** Defaults to {@link loadCedar}. */
  readonly load?: () => Promise<CedarEngine>;
  /** Called once for each error in changed files, or if Cedar can't be loaded. */
  readonly onError?: (message: string) => void;
}

/**
 * Returns the rules in a folder's `limits.yaml`, `policies/*.cedar` and `firm/*.cedar`. Rereads them whenever a file
 * changes. If the files have errors or Cedar can't be loaded, nothing is traded until the problem is fixed
 * (`Rules.problem`): the previous rules don't stay active.
 * @throws {TradeAgentError} `invalid_config` with file and line, because a gateway must not start without its owner's
 * rules
 */
export async function createFolderRulesSource(
  folder: string,
  options: FolderRulesOptions = {},
): Promise<FolderRulesSource> {
  const onError = options.onError ?? (() => undefined);
  const engine = createEngineLoader(options.load ?? loadCedar, onError);
  finishInterruptedWrite(folder);
  let known = folderFingerprint(folder);
  const written = await readWritten(folder);
  // Without rule files, does not load Cedar yet, because that takes a while and the first decision can do it.
  let rules: Promise<LoadedRules> | undefined =
    written.texts.length === 0 ? undefined : Promise.resolve(await buildRules(written, await engine()));

  let memory: LimitsMemory | undefined;
  const read = async () => {
    const now = folderFingerprint(folder);
    if (rules !== undefined && now === known) return rules;
    const reading = rules === undefined && now === known ? Promise.resolve(written) : readWritten(folder);
    known = now;
    rules = reading.then(
      async (texts) => buildRules(texts, await engine()).catch((error) => invalidRules(folder, error, texts)),
      (error) => invalidRules(folder, error, undefined),
    );
    const made = await rules;
    if (made.problem !== undefined) onError(made.problem);
    return made;
  };
  const current = async () => {
    const made = await read();
    return memory === undefined ? made : await memory.checked(made);
  };
  return {
    folder,
    current,
    // Ignores errors. If the database does not respond, the first decision reports that.
    preload: () =>
      current().then(
        () => undefined,
        () => undefined,
      ),
    rememberIn(store, clock) {
      memory = createLimitsLossDetector(store, clock, onError);
    },
    forgetLimits: async () => await memory?.forget(),
  };
}

/** Reads a folder's rules once. @throws {TradeAgentError} for the same reasons as {@link createFolderRulesSource} */
export async function readFolderRules(folder: string): Promise<LoadedRules> {
  return await buildRules(await readWritten(folder), await loadCedar());
}

/** Without `engine`, the rules allow only cancellations. @throws {TradeAgentError} `invalid_config` */
export async function buildRules(written: RuleFileContents, engine: CedarEngine | undefined): Promise<LoadedRules> {
  const { limits, texts } = written;
  const digest = digestRules(written);
  const limitsOf = (account: string) => findAccountLimits(limits, account);
  if (engine === undefined) {
    return { digest, limitsOf, cedar: unavailableCedarRules, written, cedarRules: undefined };
  }
  const rules = parseRules(engine, texts);
  const cedar = createCedarRules(engine, [...parseBaseRules(engine), ...rules], limitsOf);
  return { digest, limitsOf, cedar, written, cedarRules: rules };
}

async function readWritten(folder: string): Promise<RuleFileContents> {
  return { limits: await readLimits(folder), texts: readRuleFiles(folder) };
}

function digestRules({ limits, texts }: RuleFileContents): string {
  return rulesDigest(
    limits,
    texts.map(({ text }) => text),
  );
}

/** Returns rules that allow nothing but cancellations, with the error as their `problem`. */
function invalidRules(folder: string, error: unknown, written: RuleFileContents | undefined): LoadedRules {
  const { message, hint } = isTradeAgentError(error)
    ? error
    : new TradeAgentError('invalid_config', 'the rules can’t be read', { cause: error });
  const texts: RuleFileContents = written ?? { limits: undefined, texts: [] };
  return {
    digest: digestRules(texts),
    limitsOf: (account) => findAccountLimits(texts.limits, account),
    cedar: unavailableCedarRules,
    // Leaves out the folder's location, because callers whose orders are rejected see this text.
    problem: (hint === undefined ? message : `${message}. ${hint}`).replaceAll(join(folder, '/'), ''),
    written: texts,
    cedarRules: undefined,
  };
}

function createEngineLoader(load: () => Promise<CedarEngine>, onError: (message: string) => void) {
  let engine: Promise<CedarEngine | undefined> | undefined;
  return () => {
    engine ??= load().catch((error) => {
      const { message } = error as Error;
      onError(`Cedar can't be loaded, so nothing can be traded: ${message}. Reinstall trade-agent.`);
      return undefined;
    });
    return engine;
  };
}

/** Returns a fingerprint that changes whenever any file changes. */
function folderFingerprint(folder: string): string {
  const files = ruleFolders.flatMap((name) => [name, ...namesIn(join(folder, name)).map((one) => join(name, one))]);
  return ['limits.yaml', ...files].map((name) => `${name} ${stampOf(join(folder, name))}`).join('\n');
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

const LONGEST_RULES = 256 * 1024;
/** Maximum number of rule files. A decision with a thousand rules takes 5 ms. */
const MAX_RULE_FILES = 100;

/** Folders of the owner's rules and of the rules of the firm that runs the gateway. Root may own the firm's folder. */
export const ruleFolders = ['policies', 'firm'] as const;

/** Files that editors leave behind, which are ignored. */
const LEFTOVER = /^\.|~$|\.(?:bak|swp|tmp)$/;

/**
 * Reads rule files. A file with an unexpected name is an error, because nobody would notice that its rules don't apply
 * if it were ignored.
 * @throws {TradeAgentError} `invalid_config`
 */
function readRuleFiles(folder: string): RuleText[] {
  return ruleFolders.flatMap((origin) => {
    const path = join(folder, origin);
    const names = ruleNames(path);
    if (names.length > MAX_RULE_FILES) {
      throw unusable(path)(`it has ${names.length} files, but at most ${MAX_RULE_FILES} are allowed`);
    }
    return names.map((name) => {
      const file = join(path, name);
      const read = origin === 'firm' ? readTrustedFile : readPrivateFile;
      const text = read(file, LONGEST_RULES, unusable(file));
      if (text === undefined) throw unusable(file)('it no longer exists');
      return { origin, file, text };
    });
  });
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
  return names.sort();
}

function unusable(file: string) {
  return (why: string) =>
    new TradeAgentError('invalid_config', `${file} can't be used: ${why}`, {
      hint: 'This folder controls trading, so only its owner may have write access.',
      details: { file },
    });
}

const LONGEST_LIMITS = 64 * 1024;

/**
 * Reads the folder's `limits.yaml`; undefined if there is none.
 * @throws {TradeAgentError} `invalid_config` with the line, because a gateway must not start without its owner's limits
 */
export async function readLimits(folder: string): Promise<Limits | undefined> {
  const file = join(folder, 'limits.yaml');
  const text = readPrivateFile(
    file,
    LONGEST_LIMITS,
    (why) =>
      new TradeAgentError('invalid_config', `${file} can't be used: ${why}`, {
        hint: 'The file limits trading, so only its owner may have access to it.',
        details: { file },
      }),
  );
  return text === undefined ? undefined : await parseYaml(limitsSchema, text, file);
}

export const LIMITS_LOST_PROBLEM = {
  what: 'limits.yaml no longer contains any limits',
  fix: 'Restore the file. To trade without limits, remove the last limit with a change that you approve on your phone.',
} as const;
const LOST = `${LIMITS_LOST_PROBLEM.what}. ${LIMITS_LOST_PROBLEM.fix}`;

type LimitsMemory = ReturnType<typeof createLimitsLossDetector>;

/** @param onLost called each time the files are reread and contain no limits, although there were limits before */
function createLimitsLossDetector(store: LimitsStore, clock: Pick<Clock, 'now'>, onLost: (problem: string) => void) {
  // Caches the answer until the files are read again, so that few decisions wait for the database.
  let last: { readonly rules: LoadedRules; readonly answer: Promise<LoadedRules> } | undefined;
  const ask = async (rules: LoadedRules): Promise<LoadedRules> => {
    if (hasLimits(rules.written.limits)) {
      await store.remember(clock.now());
      return rules;
    }
    if (rules.problem !== undefined || !(await store.hadLimits())) return rules;
    onLost(LOST);
    return { ...rules, problem: LOST };
  };
  return {
    /** Returns the rules, with a `problem` if all limits have disappeared, so that nothing is traded. */
    async checked(rules: LoadedRules): Promise<LoadedRules> {
      if (last?.rules !== rules) last = { rules, answer: ask(rules) };
      const mine = last;
      try {
        return await mine.answer;
      } catch (error) {
        if (last === mine) last = undefined;
        throw error;
      }
    },
    async forget(): Promise<void> {
      await store.forget();
      last = undefined;
    },
  };
}
