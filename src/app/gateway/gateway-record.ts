import { existsSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type AuditVerdict, verifyAuditFile } from '../../approval/audit-chain.ts';
import { type CheckpointSummary, createCheckpointReader } from '../../approval/checkpoints/checkpoint-reader.ts';
import { verifyCheckpoint } from '../../approval/receipts/checkpoint.ts';
import { deriveReceiptKey } from '../../approval/receipts/receipt-key.ts';
import { TradeAgentError } from '../../errors/errors.ts';
import { formatUtcSeconds } from '../../machine/clock.ts';
import { readCertificates } from '../../net/certificate-file.ts';
import { type SealSecrets, toSecretList } from '../../secrets/token-seal.ts';
import type { AuditStore } from '../../store/audit.ts';
import type { App } from '../app.ts';
import { loadPinnedKeys, type PinnedKeys, pinnedKeyMatcher } from '../receipts.ts';
import { type AuditStores, openAuditStores, withGatewayKeys } from './gateway-database.ts';
import { sealFilePath } from './key-file.ts';
import { type GatewayPaths, readStorageSettings, readTimestampRootCertificates } from './settings-file.ts';

const auditFile = (folder: string) => join(folder, 'audit.jsonl');

/**
 * Lifts a halt (or `reducing`) on the gateway's own machine, for an owner who can't use their phone. Works while the
 * gateway runs.
 * @throws {TradeAgentError} `usage` if trading is not halted, `invalid_config` if no gateway has run in the folder
 */
export async function liftGatewayHalt({ clock, env }: Pick<App, 'clock' | 'env'>, places: GatewayPaths, sub: string) {
  return await withRecord(env, places, async ({ halts, audit }) => {
    const { since, state: ended } = await halts.current(sub, clock.now());
    if (ended === 'active' || since === undefined || !(await halts.lift(sub, since, clock.now()))) {
      throw new TradeAgentError('usage', `trading is not halted for ${JSON.stringify(sub)}`, {
        hint: 'Pass the user\'s "sub" from the identity provider\'s tokens. "trade-agent whoami" shows it.',
      });
    }
    await audit.moveToFile(auditFile(places.home));
    const now = clock.now();
    const { state } = await halts.current(sub, now);
    return { ended, haltedAt: formatUtcSeconds(since), liftedAt: formatUtcSeconds(now), state };
  });
}

/**
 * Redates orders that a fast clock dated in the future, so that they count for today. Runs on the gateway's own
 * machine, even while the gateway runs.
 * @returns the number of redated orders, and the latest of their old dates
 * @throws {TradeAgentError} `invalid_config` if no gateway has run in the folder
 */
export async function redateFutureOrders({ clock, env }: Pick<App, 'clock' | 'env'>, places: GatewayPaths) {
  return await withRecord(env, places, async ({ audit, recount: recountOrders }) => {
    const { orders, newest } = await recountOrders(clock.now());
    await audit.moveToFile(auditFile(places.home));
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
  } finally {
    await close();
  }
}

/** Maximum size of a file with a checkpoint or a receipt, in bytes. */
const MAX_CHECKPOINT_FILE_BYTES = 4 * 1024 * 1024;

export interface VerifyAuditLogOptions {
  /** A copy of the audit log, which is verified without a database. If omitted, the local gateway's log is verified. */
  readonly file?: string | undefined;
  /** A thumbprint or key file to trust. Defaults to the local gateway's key or, for a copy, the profile's gateway's. */
  readonly key?: string | undefined;
  /** A file with a saved checkpoint, which the audit log must contain. */
  readonly checkpoint?: string | undefined;
  /** A file with the root certificates of the timestamp authority. */
  readonly authorityCa?: string | undefined;
}

export type AuditLogVerdict = (AuditVerdict | { readonly ok: false; readonly what: 'kept' }) & {
  readonly file: string;
  readonly signed?: CheckpointSummary;
};

/**
 * Finds the first line of the audit log that was changed, removed or added, or whose signature or timestamp is
 * invalid. Works while the gateway runs.
 * @throws {TradeAgentError} `invalid_config` if no gateway has run in the folder; `usage` for the wrong kind of file
 */
export async function verifyAuditLog(
  app: Pick<App, 'env' | 'profile' | 'fetch' | 'signal'>,
  places: GatewayPaths,
  options: VerifyAuditLogOptions,
): Promise<AuditLogVerdict> {
  const { file = auditFile(places.home) } = options;
  const isCopy = options.file !== undefined;
  if (isCopy && !existsSync(file)) {
    throw new TradeAgentError('usage', `there is no file ${file}`, {
      hint: 'Pass a copy of an audit log.',
    });
  }
  const pinned =
    options.key === undefined && !isCopy ? await ownKeys(app, places) : await loadPinnedKeys(app, options.key);
  const kept = options.checkpoint === undefined ? undefined : await readSavedCheckpoint(options.checkpoint);
  const ca =
    options.authorityCa ?? (isCopy ? undefined : await readTimestampRootCertificates(places.config, places.home));
  const checkpoints = createCheckpointReader({
    isTrusted: pinnedKeyMatcher(pinned),
    trustedAuthorities: ca === undefined ? undefined : await readCertificates(ca),
  });
  const look = (store: Parameters<typeof verifyAuditFile>[1]) => verifyAuditFile(file, store, checkpoints);
  const verdict = isCopy
    ? await look(copyStore)
    : await withRecord(app.env, places, ({ audit }: { audit: AuditStore }) => look(audit));
  if (!verdict.ok) return { file, ...verdict };
  const signed = checkpoints.summary();
  if (kept !== undefined && !checkpoints.has(kept)) return { file, ok: false, what: 'kept', signed };
  return { file, ...verdict, signed };
}

/** Replaces the database when a copy of the log is verified: no line is pending, and the whole file is the log. */
const copyStore = { snapshot: async (file: string) => ({ pending: [], bytes: statSync(file).size }) };

/** Returns the current and former signing keys of this folder's gateway, or none if it has no key yet. */
async function ownKeys({ env }: Pick<App, 'env'>, { home, config }: GatewayPaths): Promise<PinnedKeys> {
  const secrets = await ownSecrets(env, { home, config });
  const keys = secrets === undefined ? [] : await Promise.all(toSecretList(secrets).map(deriveReceiptKey));
  return { thumbprints: keys.map(({ jwk }) => jwk.kid), from: home };
}

async function ownSecrets(env: NodeJS.ProcessEnv, { home, config }: GatewayPaths): Promise<SealSecrets | undefined> {
  const kept = await readStorageSettings(config);
  // Reads the key only if it exists, because reading a missing key would create it.
  if (kept.kms !== undefined || existsSync(sealFilePath(home)))
    return await withGatewayKeys(kept, home, env, (keys) => keys.seal());
  const { readSandboxSecret } = await import('../../sandbox/stored-secret.ts');
  return readSandboxSecret(home);
}

/** Reads the checkpoint from a checkpoint line, the output of "audit verify --output json", or a receipt. */
async function readSavedCheckpoint(file: string): Promise<{ readonly seq: number; readonly hash: string }> {
  const unusable = new TradeAgentError('usage', `${file} contains no checkpoint`, {
    hint: "Pass a file with a checkpoint line of the audit log, this command's --output json, or a receipt.",
    details: { file },
  });
  let value: Record<string, unknown>;
  try {
    const bytes = await readFile(file);
    if (bytes.length > MAX_CHECKPOINT_FILE_BYTES) throw unusable;
    value = JSON.parse(bytes.toString('utf8'));
  } catch {
    throw unusable;
  }
  const printed = (value as { signed?: { last?: { seq?: unknown; hash?: unknown } | null } })?.signed?.last;
  if (typeof printed?.seq === 'number' && typeof printed.hash === 'string') {
    return { seq: printed.seq, hash: printed.hash };
  }
  const lines = Array.isArray(value?.record)
    ? value.record.map((line) => JSON.parse(String(line)) as unknown)
    : [value];
  for (const line of lines.reverse()) {
    const found = await verifyCheckpoint(line);
    if (found !== undefined) return found.checkpoint;
  }
  throw unusable;
}
