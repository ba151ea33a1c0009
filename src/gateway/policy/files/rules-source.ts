import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { parseYaml } from '../../../config/yaml-file.ts';
import { isTradeAgentError, TradeAgentError } from '../../../errors/errors.ts';
import type { Clock } from '../../../machine/clock.ts';
import type { LimitsStore, RuleChange, RuleSnapshot, RuleStore, RuleTexts } from '../../../store/rule-store.ts';
import { type CedarEngine, loadCedar } from '../cedar/cedar-engine.ts';
import { createCedarRules, unavailableCedarRules } from '../cedar/cedar-rules.ts';
import { type CedarRule, parseBaseRules, parseRules, type RuleText } from '../cedar/rule-text.ts';
import { findUnknownAccounts, type KnownAccounts } from '../limited-accounts.ts';
import {
  findAccountLimits,
  findLimitsProblem,
  hasLimits,
  type Limits,
  limitsSchema,
  type Rules,
  type RulesSource,
  rulesDigest,
} from '../rules.ts';
import {
  createRuleFolder,
  finishInterruptedWrite,
  LIMITS_FILE,
  MAX_RULE_FILES,
  readLimitsText,
  readRuleTexts,
  ruleFolders,
} from './rule-folder.ts';

export interface RuleFileContents {
  readonly limits: Limits | undefined;
  readonly texts: readonly RuleText[];
}

export interface LoadedRules extends Rules {
  readonly written: RuleFileContents;
  /** The rules of the owner and the firm; undefined if Cedar can't be loaded. */
  readonly cedarRules: readonly CedarRule[] | undefined;
}

/** Rules, and the texts that they were loaded from. */
export interface StoredRules extends LoadedRules {
  readonly snapshot: RuleSnapshot;
}

export interface StoredRulesSource extends RulesSource {
  readonly store: RuleStore;
  current(): Promise<StoredRules>;
  /** Loads everything that the first decision needs. Never throws. */
  preload(): Promise<void>;
  /** Starts recording in the database whether there are limits. If all limits disappear afterwards, trading stops. */
  rememberIn(limits: LimitsStore, clock: Pick<Clock, 'now'>): void;
  /** Starts comparing the accounts that `limits.yaml` names with those that exist. */
  checkAccounts(known: KnownAccounts): void;
  /** Records that the owner approved trading without limits. */
  forgetLimits(): Promise<void>;
}

export interface RulesSourceOptions {
  /** Defaults to {@link loadCedar}. */
  readonly load?: () => Promise<CedarEngine>;
  /** Called once for each error in changed rules, or if Cedar can't be loaded. */
  readonly onError?: (message: string) => void;
}

/**
 * Returns the rules in a store. Asks for the store's version before each decision, and loads the rules again if it has
 * changed. If the rules have errors or Cedar can't be loaded, nothing is traded until the problem is fixed
 * (`Rules.problem`): the previous rules don't stay active. If a shared database is unavailable, `current` rejects, so
 * nothing is decided.
 * @throws {TradeAgentError} `invalid_config` with file and line, because a gateway must not start without its owner's
 * rules
 */
async function createRulesSource(store: RuleStore, options: RulesSourceOptions = {}): Promise<StoredRulesSource> {
  const onError = options.onError ?? (() => undefined);
  const engine = createEngineLoader(options.load ?? loadCedar, onError);
  let cached: { readonly version: string; readonly rules: Promise<StoredRules> } | undefined;
  const keep = (version: string, make: () => Promise<StoredRules>): Promise<StoredRules> => {
    if (cached?.version !== version) cached = { version, rules: make() };
    return cached.rules;
  };
  const report = (rules: StoredRules): StoredRules => {
    if (rules.problem !== undefined) onError(rules.problem);
    return rules;
  };
  const load = async (snapshot: RuleSnapshot): Promise<StoredRules> => {
    let written: RuleFileContents | undefined;
    try {
      written = await parseRuleTexts(store.folder, snapshot.texts);
      return { ...(await buildRules(written, await engine())), snapshot };
    } catch (error) {
      return report(invalidRules(store.folder, error, written, snapshot));
    }
  };

  const first = await store.read();
  const written = await parseRuleTexts(store.folder, first.texts);
  // Without rule files, the first decision loads Cedar, because loading it would delay the start.
  if (written.texts.length > 0) {
    const rules = { ...(await buildRules(written, await engine())), snapshot: first };
    cached = { version: first.version, rules: Promise.resolve(rules) };
  }

  let memory: LimitsMemory | undefined;
  const read = async (): Promise<StoredRules> => {
    const version = await store.version();
    if (cached?.version === version) return await cached.rules;
    let snapshot: RuleSnapshot;
    try {
      snapshot = await store.read();
    } catch (error) {
      if (!isTradeAgentError(error) || error.code !== 'invalid_config') throw error;
      return await keep(version, async () =>
        report(invalidRules(store.folder, error, undefined, { version, texts: {} })),
      );
    }
    // Caches the rules under the snapshot's version, because the texts may have changed after `version` was read.
    return await keep(snapshot.version, () => load(snapshot));
  };
  let accounts: KnownAccounts | undefined;
  /** As long as an entry matches no account, denies the orders of accounts that have no entry of their own. */
  const compareAccounts = async (rules: StoredRules): Promise<StoredRules> => {
    const { limits } = rules.written;
    const unknown = accounts === undefined ? [] : await findUnknownAccounts(limits, accounts);
    if (unknown.length === 0) return rules;
    return { ...rules, limitsProblem: (account) => findLimitsProblem(limits, account, unknown) };
  };
  const current = async (): Promise<StoredRules> => {
    const rules = await read();
    if (memory === undefined || !(await memory.areLimitsLost(rules))) return await compareAccounts(rules);
    // Another gateway may have added the first limits after the rules were read.
    if ((await read()) !== rules) return await current();
    const problem = limitsLostProblem(store.folder);
    memory.report(rules, problem);
    return { ...rules, problem };
  };
  return {
    store,
    current,
    // Ignores errors. If the database does not respond, the first decision reports that.
    preload: () =>
      current().then(
        () => undefined,
        () => undefined,
      ),
    rememberIn(limits, clock) {
      memory = createLimitsLossDetector({ limits, clock, isEdited: store.folder !== undefined, onLost: onError });
    },
    checkAccounts(known) {
      accounts = known;
    },
    forgetLimits: async () => await memory?.forget(),
  };
}

/** Returns the rules in a folder. @throws {TradeAgentError} for the same reasons as {@link createRulesSource} */
export async function createFolderRulesSource(
  folder: string,
  options: RulesSourceOptions = {},
): Promise<StoredRulesSource> {
  finishInterruptedWrite(folder);
  return await createRulesSource(createRuleFolder(folder), options);
}

/**
 * Opens a gateway's rules, from its database or else from its folder. Loads the folder's rules immediately, because a
 * gateway must not open anything with invalid rules.
 * @param isShared whether the gateway's database has the rules
 * @returns a function that takes the gateway's open stores and returns the rules
 * @throws {TradeAgentError} `invalid_config` for the same reasons as {@link createRulesSource}
 */
export async function openRules(
  folder: string,
  isShared: boolean,
  options: RulesSourceOptions,
): Promise<(stores: OpenRulesStores, clock: Pick<Clock, 'now'>) => Promise<StoredRulesSource>> {
  const own = isShared ? undefined : await createFolderRulesSource(folder, options);
  return async ({ rules, limits }, clock) => {
    if (own !== undefined) return own;
    if (rules === undefined) throw new Error('the database has no table of rules');
    return await createDatabaseRulesSource(rules, folder, { ...options, limits, clock });
  };
}

interface OpenRulesStores {
  readonly rules?: RuleStore;
  readonly limits: LimitsStore;
}

interface DatabaseRulesOptions extends RulesSourceOptions {
  readonly limits: Pick<LimitsStore, 'hadLimits'>;
  readonly clock: Pick<Clock, 'now'>;
}

/**
 * Returns the rules in a database that several gateways share. If the database never had rules, first imports the files
 * in this gateway's folder. Otherwise ignores the files, and calls `onError` if they differ.
 * @throws {TradeAgentError} `invalid_config` for the same reasons as {@link createRulesSource}
 */
async function createDatabaseRulesSource(
  store: RuleStore,
  folder: string,
  options: DatabaseRulesOptions,
): Promise<StoredRulesSource> {
  if (!(await importFirstRules(store, folder, options))) {
    const { texts } = await store.read();
    const ignored = findIgnoredFiles(folder, texts);
    if (ignored !== undefined) {
      options.onError?.(
        `the rules are in the database, and files in ${folder} are ignored: ${ignored}. Compare them with "trade-agent policy show", then remove the files.`,
      );
    }
  }
  return await createRulesSource(store, options);
}

/** Imports the folder's files as the first rules, once for all gateways. Returns whether this gateway did it. */
async function importFirstRules(store: RuleStore, folder: string, { limits, clock }: DatabaseRulesOptions) {
  const { version, texts: present } = await store.read();
  // If the database had limits and its texts are gone, the folder's files may be outdated, so they are not imported.
  if (Object.keys(present).length > 0 || (await limits.hadLimits())) return false;
  finishInterruptedWrite(folder);
  const texts = readRuleTexts(folder);
  if (Object.keys(texts).length === 0) return false;
  const { change } = await createRuleImport(folder, texts, present);
  return await store.replace(version, change, clock.now(), rejectAuditNote);
}

/** Rejects every note, because a database adds a change's note to the audit log itself. */
export const rejectAuditNote = async (): Promise<void> => {
  throw new Error('these rules are not in the database with the audit log');
};

/**
 * Returns the change that replaces all present texts, and the resulting rules.
 * @param folder the folder with the new texts, for messages
 * @throws {TradeAgentError} `invalid_config` if the new rules are invalid
 */
export async function createRuleImport(folder: string, texts: RuleTexts, present: RuleTexts) {
  const rules = await loadRuleTexts(folder, texts);
  const removed = Object.keys(present).filter((name) => !Object.hasOwn(texts, name));
  const change = {
    texts: {
      // Always stores this text, even if there are no rules, so that the next gateway does not import its own files.
      [LIMITS_FILE]: NO_LIMITS_TEXT,
      ...Object.fromEntries(removed.filter((name) => name !== LIMITS_FILE).map((name) => [name, null])),
      ...texts,
    },
    isLimited: hasLimits(rules.written.limits),
    note: { event: 'rules_imported', facts: { digest: rules.digest, files: Object.keys(texts) } },
  } satisfies RuleChange;
  return { rules, change };
}

/**
 * Returns the SHA-256 and size of each text, and of all together. The version of all texts is the SHA-256 of what
 * `sha256sum` prints for the files in the order of their names.
 */
export function describeRuleTexts(texts: RuleTexts) {
  const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
  const files = Object.entries(texts)
    .map(([name, text]) => ({ name, digest: sha256(text), bytes: Buffer.byteLength(text) }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  return { version: sha256(files.map(({ name, digest }) => `${digest}  ${name}\n`).join('')), files };
}

/** Loads a store's rules once. If they are invalid, returns the problem, because the caller can still replace them. */
export async function readActiveRules(store: RuleStore, limits?: Pick<LimitsStore, 'hadLimits'>) {
  await store.recover?.();
  const { version: read, texts } = await store.read();
  const known = { read, texts, ...describeRuleTexts(texts) };
  try {
    const rules = await loadRuleTexts(store.folder, texts);
    const isLost = !hasLimits(rules.written.limits) && (await limits?.hadLimits()) === true;
    return { ...known, rules, problem: isLost ? limitsLostProblem(store.folder) : undefined };
  } catch (error) {
    if (!isTradeAgentError(error) || error.code !== 'invalid_config') throw error;
    return { ...known, rules: undefined, problem: joinHint(error) };
  }
}

const NO_LIMITS_TEXT = 'version: 1\n';

/** Returns how the folder's files differ from the database's texts; undefined if they are equal or no files exist. */
function findIgnoredFiles(folder: string, texts: RuleTexts): string | undefined {
  try {
    const files = readRuleTexts(folder);
    if (Object.keys(files).length === 0) return undefined;
    const names = [...new Set([...Object.keys(files), ...Object.keys(texts)])].sort();
    const known = { [LIMITS_FILE]: NO_LIMITS_TEXT, ...files };
    const different = names.filter((name) => (known as RuleTexts)[name] !== texts[name]);
    return different.length === 0 ? undefined : `these differ: ${different.join(', ')}`;
  } catch (error) {
    return (error as Error).message;
  }
}

/** Reads a folder's rules once. @throws {TradeAgentError} for the same reasons as {@link createRulesSource} */
export async function readFolderRules(folder: string): Promise<LoadedRules> {
  return await loadRuleTexts(folder, readRuleTexts(folder));
}

/** Loads texts once. @throws {TradeAgentError} `invalid_config`, with the line */
async function loadRuleTexts(folder: string | undefined, texts: RuleTexts): Promise<LoadedRules> {
  return await buildRules(await parseRuleTexts(folder, texts), await loadCedar());
}

/** Builds the rules. If `engine` is unset, they allow only cancellations. @throws {TradeAgentError} `invalid_config` */
export async function buildRules(written: RuleFileContents, engine: CedarEngine | undefined): Promise<LoadedRules> {
  const { limits, texts } = written;
  const digest = digestRules(written);
  const limitsOf = (account: string) => findAccountLimits(limits, account);
  const limitsProblem = (account: string) => findLimitsProblem(limits, account);
  if (engine === undefined) {
    return { digest, limitsOf, limitsProblem, cedar: unavailableCedarRules, written, cedarRules: undefined };
  }
  const rules = parseRules(engine, texts);
  const cedar = createCedarRules(engine, [...parseBaseRules(engine), ...rules], limitsOf);
  return { digest, limitsOf, limitsProblem, cedar, written, cedarRules: rules };
}

/**
 * Parses a store's texts.
 * @param folder the store's folder, for messages
 * @throws {TradeAgentError} `invalid_config`, with the line
 */
export async function parseRuleTexts(folder: string | undefined, texts: RuleTexts): Promise<RuleFileContents> {
  const limits = texts[LIMITS_FILE];
  const file = rulePath(folder, LIMITS_FILE);
  const rules = ruleFolders.flatMap((origin) => {
    const own = Object.entries(texts).filter(([name]) => name.startsWith(`${origin}/`));
    if (own.length > MAX_RULE_FILES) {
      throw new TradeAgentError(
        'invalid_config',
        `${origin}/ has ${own.length} files, but at most ${MAX_RULE_FILES} are allowed`,
      );
    }
    return own.map(([name, text]): RuleText => ({ origin, file: rulePath(folder, name), text }));
  });
  return { limits: limits === undefined ? undefined : await parseYaml(limitsSchema, limits, file), texts: rules };
}

/** Returns a rule text's name for messages: its path, if it is a file. */
export function rulePath(folder: string | undefined, name: string): string {
  return folder === undefined ? name : join(folder, name);
}

export function digestRules({ limits, texts }: RuleFileContents): string {
  return rulesDigest(
    limits,
    texts.map(({ text }) => text),
  );
}

/** Returns rules that allow nothing but cancellations, with the error as their `problem`. */
function invalidRules(
  folder: string | undefined,
  error: unknown,
  written: RuleFileContents | undefined,
  snapshot: RuleSnapshot,
): StoredRules {
  const problem = joinHint(
    isTradeAgentError(error)
      ? error
      : new TradeAgentError('invalid_config', 'the rules can’t be read', { cause: error }),
  );
  const contents: RuleFileContents = written ?? { limits: undefined, texts: [] };
  return {
    digest: digestRules(contents),
    limitsOf: (account) => findAccountLimits(contents.limits, account),
    cedar: unavailableCedarRules,
    // Leaves out the folder's location, because callers whose orders are rejected see this text.
    problem: folder === undefined ? problem : problem.replaceAll(join(folder, '/'), ''),
    written: contents,
    cedarRules: undefined,
    snapshot,
  };
}

function joinHint({ message, hint }: TradeAgentError): string {
  return hint === undefined ? message : `${message}. ${hint}`;
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

/**
 * Reads the folder's `limits.yaml`; undefined if there is none.
 * @throws {TradeAgentError} `invalid_config` with the line, because a gateway must not start without its owner's limits
 */
export async function readLimits(folder: string): Promise<Limits | undefined> {
  const text = readLimitsText(folder);
  return text === undefined ? undefined : await parseYaml(limitsSchema, text, join(folder, LIMITS_FILE));
}

/** How the owner can trade without limits. An operator can't do that for them. */
export const REMOVE_LAST_LIMIT_HINT =
  'To trade without limits, remove the last limit with a change that you approve on your phone.';
export const LIMITS_LOST_PROBLEM = {
  what: 'limits.yaml no longer contains any limits',
  fix: `Restore the file. ${REMOVE_LAST_LIMIT_HINT}`,
} as const;

function limitsLostProblem(folder: string | undefined): string {
  const { what, fix } = LIMITS_LOST_PROBLEM;
  if (folder !== undefined) return `${what}. ${fix}`;
  return `${what}. Restore the rules with "trade-agent gateway rules --import". ${REMOVE_LAST_LIMIT_HINT}`;
}

type LimitsMemory = ReturnType<typeof createLimitsLossDetector>;

interface LimitsMemoryOptions {
  readonly limits: LimitsStore;
  readonly clock: Pick<Clock, 'now'>;
  /** Whether people edit the rules by hand. Otherwise, each change records whether there are limits. */
  readonly isEdited: boolean;
  /** Called each time the rules are loaded and contain no limits, although there were limits before. */
  readonly onLost: (problem: string) => void;
}

function createLimitsLossDetector({ limits: store, clock, isEdited, onLost }: LimitsMemoryOptions) {
  // Caches the answer until the rules are loaded again, so that few decisions wait for the database.
  let last: { readonly rules: LoadedRules; readonly isLost: Promise<boolean> } | undefined;
  let reported: LoadedRules | undefined;
  const ask = async (rules: LoadedRules): Promise<boolean> => {
    if (!hasLimits(rules.written.limits)) return rules.problem === undefined && (await store.hadLimits());
    if (isEdited) await store.remember(clock.now());
    return false;
  };
  return {
    /** Returns whether all limits have disappeared. If so, nothing may be traded. */
    async areLimitsLost(rules: LoadedRules): Promise<boolean> {
      if (last?.rules !== rules) last = { rules, isLost: ask(rules) };
      const mine = last;
      try {
        const isLost = await mine.isLost;
        // Asks again before the next decision, because the owner may approve trading without limits at another gateway.
        if (isLost && last === mine) last = undefined;
        return isLost;
      } catch (error) {
        if (last === mine) last = undefined;
        throw error;
      }
    },
    report(rules: LoadedRules, problem: string): void {
      if (reported !== rules) onLost(problem);
      reported = rules;
    },
    async forget(): Promise<void> {
      await store.forget();
      last = undefined;
    },
  };
}
