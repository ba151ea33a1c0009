import { existsSync, lstatSync, readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { verifyAuditStores } from '../../approval/audit-verification.ts';
import { type CheckpointSummary, createCheckpointReader } from '../../approval/checkpoints/checkpoint-reader.ts';
import { type Checkpoint, cosignedAt, parseCheckpoint, parseWitnessKey } from '../../approval/receipts/checkpoint.ts';
import { deriveReceiptKey, publicJwk, type ReceiptJwk } from '../../approval/receipts/receipt-key.ts';
import { TradeAgentError } from '../../errors/errors.ts';
import { describeRuleChanges } from '../../gateway/policy/files/compare.ts';
import { createRuleFolder, LIMITS_FILE, readRuleTexts } from '../../gateway/policy/files/rule-folder.ts';
import {
  createRuleImport,
  describeRuleTexts,
  type LoadedRules,
  REMOVE_LAST_LIMIT_HINT,
  readActiveRules,
  rejectAuditNote,
} from '../../gateway/policy/files/rules-source.ts';
import { findUnknownAccounts } from '../../gateway/policy/limited-accounts.ts';
import { hasLimits, unknownAccountProblem } from '../../gateway/policy/rules.ts';
import { readAuditExportHeader, verifyAuditExport, writeAuditExport } from '../../gateway/record/audit-export.ts';
import { formatUtcSeconds } from '../../machine/clock.ts';
import { createPrivateFile, readFileIfExists } from '../../machine/private-file.ts';
import { readCertificates } from '../../net/certificate-file.ts';
import { type SealSecrets, toSecretList } from '../../secrets/token-seal.ts';
import { toDatabaseUnreachableError } from '../../store/postgres/store-unavailable.ts';
import type { RecordVerdict } from '../../trading/record-line.ts';
import type { App } from '../app.ts';
import { loadPinnedKeys, pinnedKeyMatcher } from '../receipts.ts';
import { type AuditStores, openAuditStores, withGatewayKeys } from './gateway-database.ts';
import { sealFilePath } from './key-file.ts';
import { type GatewayPaths, readBrokers, readStorageSettings, readTimestampRootCertificates } from './settings-file.ts';

/**
 * Lifts a halt (or `reducing`) on the gateway's own machine, for an owner who can't use their phone. Works while the
 * gateway is running.
 * @throws {TradeAgentError} `usage` if trading is not halted, `invalid_config` if no gateway has run in the folder
 */
export async function liftGatewayHalt({ clock, env }: Pick<App, 'clock' | 'env'>, places: GatewayPaths, sub: string) {
  return await withRecord(env, places, async ({ halts }) => {
    const { since, state: ended } = await halts.current(sub, clock.now());
    if (ended === 'active' || since === undefined || !(await halts.lift(sub, since, clock.now()))) {
      throw new TradeAgentError('usage', `trading is not halted for ${JSON.stringify(sub)}`, {
        hint: 'Pass the user\'s "sub" from the identity provider\'s tokens. "trade-agent whoami" shows it.',
      });
    }
    const now = clock.now();
    const { state } = await halts.current(sub, now);
    return { ended, haltedAt: formatUtcSeconds(since), liftedAt: formatUtcSeconds(now), state };
  });
}

/**
 * Changes the dates of orders that a fast clock dated in the future, so that they count toward today's limits. Runs on
 * the gateway's own machine, even while the gateway is running.
 * @returns the number of changed orders, and the latest of their old dates
 * @throws {TradeAgentError} `invalid_config` if no gateway has run in the folder
 */
export async function redateFutureOrders({ clock, env }: Pick<App, 'clock' | 'env'>, places: GatewayPaths) {
  return await withRecord(env, places, async ({ recount: recountOrders }) => {
    const { orders, newest } = await recountOrders(clock.now());
    return { orders, newest: newest === null ? null : formatUtcSeconds(newest) };
  });
}

async function withRecord<T>(
  env: NodeJS.ProcessEnv,
  { home, config }: GatewayPaths,
  work: (record: AuditStores) => Promise<T>,
): Promise<T> {
  const { stores, close } = await openAuditStores((await readStorageSettings(config)).database, home, env);
  try {
    return await work(stores);
  } catch (error) {
    // The connection can break after the database was opened, so the error is converted here too.
    throw toDatabaseUnreachableError(error);
  } finally {
    await close();
  }
}

/** File in an exported folder that contains the version of the rules. An import replaces only this version. */
const BASE_FILE = 'base-version';

/**
 * Returns the active rules of a gateway, or of all gateways on its database. Works while gateways are running.
 * @param exportTo a new or empty folder to write the rules to
 * @throws {TradeAgentError} `usage` if that folder has files, `invalid_config`
 */
export async function showGatewayRules({ env }: Pick<App, 'env'>, places: GatewayPaths, exportTo: string | undefined) {
  const { database } = await readStorageSettings(places.config);
  if (database === undefined && !existsSync(places.home)) {
    throw noFolderError(places.home, "Pass the gateway's own folder with --home.");
  }
  const { texts, version, files, rules, problem } =
    database === undefined
      ? await readActiveRules(createRuleFolder(places.home))
      : await withRecord(env, places, (stores) => readActiveRules(...sharedRules(stores)));
  if (exportTo !== undefined) exportRules(exportTo, { ...texts, [BASE_FILE]: `${version}\n` });
  const folder = database === undefined ? places.home : null;
  return { folder, version, digest: rules?.digest ?? null, problem: problem ?? null, files };
}

function noFolderError(folder: string, hint: string): TradeAgentError {
  return new TradeAgentError('usage', `there is no folder ${folder}`, { hint, details: { folder } });
}

function sharedRules({ rules, limits }: AuditStores) {
  if (rules === undefined || limits === undefined) throw new Error('the database has no table of rules');
  return [rules, limits] as const;
}

/** Writes each file with mode 0600, because the gateway accepts rule files only if they are private. */
function exportRules(folder: string, files: Readonly<Record<string, string>>): void {
  const occupied = new TradeAgentError('usage', `${folder} is not a new or empty folder`, {
    hint: 'Choose a new folder. An export never overwrites a file.',
    details: { folder },
  });
  const found = lstatSync(folder, { throwIfNoEntry: false });
  if (found !== undefined && !(found.isDirectory() && readdirSync(folder).length === 0)) throw occupied;
  for (const [name, text] of Object.entries(files)) {
    // On Windows, a backslash in a name that someone wrote to the database by hand could lead out of the folder.
    if (name.includes('\\') || !createPrivateFile(join(folder, name), text)) throw occupied;
  }
}

export interface RuleImportOptions {
  readonly folder: string;
  /** The version that the new rules replace. Defaults to the version in the exported folder. */
  readonly base?: string | undefined;
  /** Receives the lines that describe the change. Resolves with whether to write the change. */
  readonly confirm: (changes: readonly string[], isLooser: boolean) => Promise<boolean>;
}

/**
 * Replaces all rules in the gateways' database with those in a folder, in one transaction with an audit log entry. Each
 * gateway applies the new rules from its next decision on.
 * @throws {TradeAgentError} `usage`; `invalid_config` for invalid rules; `gateway_refused` with the problem
 *   `rules_stale` if the current version of the rules is not the base version
 */
export async function importGatewayRules(
  { clock, env }: Pick<App, 'clock' | 'env'>,
  places: GatewayPaths,
  { folder, base: given, confirm }: RuleImportOptions,
) {
  if ((await readStorageSettings(places.config)).database === undefined) {
    throw new TradeAgentError('usage', `the rules of this gateway are files in ${places.home}`, {
      hint: 'Edit limits.yaml, policies/ and firm/ there. A running gateway reads them again before its next decision.',
    });
  }
  const { base, texts } = readImport(folder, given);
  return await withRecord(env, places, async (stores) => {
    const [store, limits] = sharedRules(stores);
    const before = await readActiveRules(store, limits);
    const { rules, change } = await createRuleImport(folder, texts, before.texts);
    const previous = before.version;
    const { version } = describeRuleTexts({ ...texts, [LIMITS_FILE]: change.texts[LIMITS_FILE] });
    const result = { previous, version, digest: rules.digest };
    // Checked before the base version, so that an import whose result was lost can be repeated.
    if (version === previous) return { ...result, outcome: 'unchanged' as const, changes: [] };
    if (previous !== base) throw staleError();
    if (!change.isLimited && (hasLimits(before.rules?.written.limits) || (await limits.hadLimits()))) {
      throw new TradeAgentError('usage', `${folder} contains no limits, but the gateways had limits`, {
        hint: REMOVE_LAST_LIMIT_HINT,
      });
    }
    await requireKnownAccounts(places.config, stores, rules);
    const changes = describeImport(before, rules);
    const isLooser = changes.some((line) => line.startsWith('looser:'));
    if (!(await confirm(changes, isLooser))) return { ...result, outcome: 'not_imported' as const, changes };
    const facts = { ...change.note.facts, previous: before.rules?.digest ?? null, changes };
    const noted = { ...change, note: { ...change.note, facts } };
    if (!(await store.replace(before.read, noted, clock.now(), rejectAuditNote))) throw staleError();
    return { ...result, outcome: 'imported' as const, changes };
  });
}

/** Rejects limits for an unknown account number, which is probably misspelled. Such limits would apply to nothing. */
async function requireKnownAccounts(config: string, { brokerKeys }: AuditStores, { written }: LoadedRules) {
  if (brokerKeys === undefined) return;
  const [unknown] = await findUnknownAccounts(written.limits, { brokers: await readBrokers(config), brokerKeys });
  if (unknown === undefined) return;
  throw new TradeAgentError('invalid_config', unknownAccountProblem(unknown), {
    hint: 'Nothing was imported. Fix the account number in limits.yaml, or remove the entry.',
  });
}

function describeImport(
  { problem, rules: before }: Awaited<ReturnType<typeof readActiveRules>>,
  after: LoadedRules,
): string[] {
  const toCompared = ({ written, cedarRules = [] }: LoadedRules) => ({ limits: written.limits, cedarRules });
  return [
    ...(problem === undefined
      ? []
      : ['looser: the current rules can’t be used, so nothing can be traded until they are replaced']),
    ...(before === undefined ? [] : describeRuleChanges(toCompared(before), toCompared(after), '')),
  ];
}

function readImport(folder: string, given: string | undefined) {
  const hint = 'Pass a folder from "trade-agent gateway rules --export", with limits.yaml, policies/ and firm/.';
  if (!existsSync(folder)) throw noFolderError(folder, hint);
  const texts = readRuleTexts(folder);
  if (Object.keys(texts).length === 0) {
    throw new TradeAgentError('usage', `${folder} contains no rules`, { hint });
  }
  const base = (given ?? readFileIfExists(join(folder, BASE_FILE)))?.trim();
  if (base !== undefined && /^[0-9a-f]{64}$/.test(base)) return { base, texts };
  throw new TradeAgentError('usage', `${given ?? join(folder, BASE_FILE)} is not a version of the rules`, {
    hint: 'Pass the version that "trade-agent gateway rules" prints with --base, or edit an exported folder.',
  });
}

function staleError(): TradeAgentError {
  return new TradeAgentError('gateway_refused', 'the rules have changed since they were exported', {
    hint: 'Nothing was imported. Export the rules into a new folder, and make your changes there.',
    details: { problem: 'rules_stale' },
  });
}

/** Maximum size of a file that contains a checkpoint or a receipt, in bytes. */
const MAX_CHECKPOINT_FILE_BYTES = 4 * 1024 * 1024;

export interface VerifyAuditLogOptions {
  /** An exported file to verify without a database. If omitted, the local gateway's database is verified. */
  readonly file?: string | undefined;
  /** A thumbprint or key file to trust. Defaults to the local gateway's key or, with `file`, to the profile's key. */
  readonly key?: string | undefined;
  /** A file with a saved checkpoint, which the audit log must contain. */
  readonly checkpoint?: string | undefined;
  /** The verifier key (C2SP signed-note) of a witness that must have cosigned the saved checkpoint. */
  readonly witness?: string | undefined;
  /** A file with the root certificates of the timestamp authority. */
  readonly authorityCa?: string | undefined;
}

export type AuditLogVerdict = (RecordVerdict | { readonly ok: false; readonly what: 'kept' }) & {
  /** Path of the exported file or of the gateway's folder. */
  readonly file: string;
  readonly signed?: CheckpointSummary;
};

/**
 * Finds the first line of the audit log that was changed, removed or added, or whose signature or timestamp is invalid.
 * Works while the gateway is running.
 * @throws {TradeAgentError} `invalid_config` if no gateway has run in the folder; `usage` for the wrong kind of file;
 *   `database_unreachable`
 */
export async function verifyAuditLog(
  app: Pick<App, 'env' | 'profile' | 'fetch' | 'signal'>,
  places: GatewayPaths,
  options: VerifyAuditLogOptions,
): Promise<AuditLogVerdict> {
  const { file = places.home } = options;
  const kept = options.checkpoint === undefined ? undefined : await readSavedCheckpoint(options.checkpoint);
  if (options.witness !== undefined) requireCosigned(kept, options.witness);
  const header = options.file === undefined ? undefined : await readAuditExportHeader(options.file);
  const ca =
    options.authorityCa ??
    (header === undefined ? await readTimestampRootCertificates(places.config, places.home) : undefined);
  const isPinned =
    options.key === undefined && header === undefined
      ? () => true
      : pinnedKeyMatcher(await loadPinnedKeys(app, options.key));
  const known =
    header === undefined ? await ownKeys(app, places) : await Promise.all(header.keys.map(({ x }) => publicJwk(x)));
  const reader = createCheckpointReader({
    keys: known.filter(({ kid }) => isPinned(kid)),
    kept,
    trustedAuthorities: ca === undefined ? undefined : await readCertificates(ca),
  });
  const verdict =
    header === undefined
      ? await withRecord(app.env, places, (stores) => verifyAuditStores(stores, reader))
      : await verifyAuditExport(file, header, reader);
  if (!verdict.ok) return { file, ...verdict };
  // An empty log must not be reported as intact, because someone may have replaced the audit log with a new file.
  if (verdict.lines === 0 && verdict.pending === 0) throw emptyLogError(file);
  const signed = reader.summary();
  if (!reader.hasKept()) return { file, ok: false, what: 'kept', signed };
  return { file, ...verdict, signed };
}

function emptyLogError(file: string): TradeAgentError {
  return new TradeAgentError('usage', `the audit log in ${file} is empty, so there is nothing to verify`, {
    hint: 'Pass the folder or the export of a gateway that has been used. If this one has, its log was removed: restore the log from a backup.',
    details: { file },
  });
}

/**
 * Writes a day of the audit log, or all of it, to a new file that can be verified without the gateway.
 * @throws {TradeAgentError} `usage` if the day is not closed yet or the file exists; `invalid_config`;
 *   `database_unreachable`
 */
export async function exportAuditLog(
  { env }: Pick<App, 'env'>,
  places: GatewayPaths,
  { day, to }: { readonly day?: string | undefined; readonly to?: string | undefined },
) {
  const file = to ?? `audit-${day ?? 'all'}.jsonl`;
  const keys = (await ownKeys({ env }, places)).map(({ kty, crv, x, kid }) => ({ kty, crv, x, kid }));
  const written = await withRecord(env, places, (stores) => writeAuditExport(stores, { file, day, keys }));
  return { file, day: day ?? null, ...written };
}

function requireCosigned(kept: Checkpoint | undefined, witness: string): void {
  if (parseWitnessKey(witness) === undefined) {
    throw new TradeAgentError('usage', '--witness is not the verifier key of a witness', {
      hint: 'Pass a key of the form NAME+ID+KEY for cosignatures, as the witness publishes it.',
    });
  }
  if (kept !== undefined && cosignedAt(kept, witness) !== undefined) return;
  throw new TradeAgentError('usage', 'the witness has not signed the checkpoint', {
    hint: 'Pass a checkpoint with its cosignature with --checkpoint.',
  });
}

/** Returns the current and former signing keys of this folder's gateway, or an empty list if it has no key yet. */
async function ownKeys({ env }: Pick<App, 'env'>, { home, config }: GatewayPaths): Promise<ReceiptJwk[]> {
  const secrets = await ownSecrets(env, { home, config });
  const keys = secrets === undefined ? [] : await Promise.all(toSecretList(secrets).map(deriveReceiptKey));
  return keys.map(({ jwk }) => jwk);
}

async function ownSecrets(env: NodeJS.ProcessEnv, { home, config }: GatewayPaths): Promise<SealSecrets | undefined> {
  const kept = await readStorageSettings(config);
  // Reads the key only if it exists, because reading a missing key creates it.
  if (kept.kms !== undefined || existsSync(sealFilePath(home)))
    return await withGatewayKeys(kept, home, env, (keys) => keys.seal());
  const { readSandboxSecret } = await import('../../sandbox/stored-secret.ts');
  return readSandboxSecret(home);
}

/** Reads a checkpoint from a text file, from the output of "audit verify --output json", or from a receipt. */
async function readSavedCheckpoint(file: string): Promise<Checkpoint> {
  const unusable = new TradeAgentError('usage', `${file} contains no checkpoint`, {
    hint: "Pass a file with a checkpoint, this command's --output json, or a receipt.",
    details: { file },
  });
  const bytes = await readFile(file).catch(() => {
    throw unusable;
  });
  if (bytes.length > MAX_CHECKPOINT_FILE_BYTES) throw unusable;
  const text = bytes.toString('utf8');
  const found = parseCheckpoint(text) ?? parseCheckpoint(checkpointWithin(text) ?? '');
  if (found === undefined) throw unusable;
  return found;
}

function checkpointWithin(text: string): string | undefined {
  try {
    const value = JSON.parse(text) as { checkpoint?: unknown; signed?: { last?: { checkpoint?: unknown } } };
    return String(value.checkpoint ?? value.signed?.last?.checkpoint);
  } catch {
    return undefined;
  }
}
