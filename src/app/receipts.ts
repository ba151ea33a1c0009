import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import type { JWK } from 'jose';
import type { ReceiptFault } from '../approval/receipts/receipt-form.ts';
import type { VerifiedReceipt } from '../approval/receipts/verify-receipt.ts';
import { TradeAgentError } from '../errors/errors.ts';
import { createBoundedFetch } from '../net/bounded-fetch.ts';
import { startTimeLimit } from '../net/time-limit.ts';
import { type GrantReceipt, RECEIPT_KEYS_PATH, type Receipt, type ReceiptEntry } from '../trading/receipt.ts';
import { defined } from '../values/defined.ts';
import type { App } from './app.ts';
import { resolveIdPrefix } from './resolve-prefix.ts';

const MAX_LISTED = 100;

/** Lists receipts, newest first. @throws {TradeAgentError} `login_required` */
export async function listReceipts(app: App): Promise<ReceiptEntry[]> {
  return await (await app.gateway()).receipts(MAX_LISTED);
}

/** Returns a receipt's text. @throws {TradeAgentError} `not_found`, `login_required` */
async function receiptText(app: App, typed: string): Promise<string> {
  const id = await resolveIdPrefix(typed, {
    called: 'receipts',
    whole: /^(pr_[0-9A-Za-z]{16,}|(ta-|gr_)[A-Za-z0-9_-]{16,})$/,
    list: async () => (await listReceipts(app)).map((entry) => entry.id),
  });
  const { receiptText: textOf } = await import('../approval/receipts/receipt-form.ts');
  return textOf((await (await app.gateway()).receipt(id)) as Receipt);
}

/**
 * Fetches a receipt and verifies it with the key published by the profile's gateway.
 * @param id a proposal's or grant's ID or a prefix of it, or an order's `client_order_id`
 * @throws {TradeAgentError} `not_found`, `usage`, `login_required`
 */
export async function fetchReceiptVerdict(app: App, id: string): Promise<ReceiptVerdict> {
  return await verifyReceiptText(await receiptText(app, id), pinnedKeyMatcher(await loadPinnedKeys(app, undefined)));
}

/**
 * Writes a receipt to a file. The file can be verified without trade-agent.
 * @param to the file; defaults to `receipt-ID.json` in the current folder
 * @throws {TradeAgentError} `not_found`; `usage` if the file exists
 */
export async function exportReceipt(app: App, id: string, to: string | undefined) {
  const text = await receiptText(app, id);
  const { signer, receipt } = await requireSigned(text);
  const named = 'grant' in receipt ? receipt.grant.id : receipt.proposal.id;
  const file = to ?? `receipt-${named}.json`;
  try {
    await writeFile(file, text, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    throw new TradeAgentError('usage', code === 'EEXIST' ? `${file} already exists` : `${file} can’t be written`, {
      hint: 'Choose another file with --to FILE.',
      details: { file },
    });
  }
  return { id: named, file, key: signer.kid };
}

/**
 * Requires a valid signature. Accepts any key, because the person who verifies the receipt decides which keys to trust.
 * @throws {TradeAgentError} `gateway_refused`
 */
async function requireSigned(text: string): Promise<VerifiedReceipt> {
  const { verifyDetachedSignature } = await import('../approval/receipts/receipt-key.ts');
  const { receiptPayload } = await import('../approval/receipts/receipt-form.ts');
  const receipt = JSON.parse(text) as Receipt | GrantReceipt;
  const signer = await verifyDetachedSignature(receipt.signature, receiptPayload(receipt)).catch(() => undefined);
  if (signer !== undefined) return { signer, receipt };
  throw new TradeAgentError('gateway_refused', 'the gateway returned a receipt without a valid signature', {
    hint: 'Ask its operator to run "trade-agent gateway audit verify".',
  });
}

/** Maximum size of a receipt file in bytes. Receipts are smaller, because a receipt covers at most twenty orders. */
const MAX_FILE_BYTES = 4 * 1024 * 1024;

/** A valid receipt, or the first error found. */
export type ReceiptVerdict =
  | {
      readonly ok: true;
      readonly receipt: Receipt | GrantReceipt;
      /** Thumbprint of the gateway's key (RFC 7638). */
      readonly key: string;
      /** base64url(SHA-256) of each approver's public key (COSE_Key). */
      readonly phone_keys: readonly { readonly sub: string; readonly fingerprint: string }[];
    }
  | { readonly ok: false; readonly fault: ReceiptFault; readonly text: string };

/**
 * Verifies a receipt file. Works offline if `key` is given.
 * @param options.phoneKey a fingerprint that one of the approvers' keys must have
 * @throws {TradeAgentError} `usage` for a file that can't be read, and any error from {@link loadPinnedKeys}
 */
export async function verifyReceiptFile(
  app: Pick<App, 'profile' | 'fetch' | 'signal'>,
  file: string,
  { key, phoneKey }: { readonly key?: string | undefined; readonly phoneKey?: string | undefined },
): Promise<ReceiptVerdict & { readonly from: string }> {
  const text = await readReceiptText(file);
  const pinned = await loadPinnedKeys(app, key);
  const verdict = await verifyReceiptText(text, pinnedKeyMatcher(pinned));
  const { from } = pinned;
  if (verdict.ok && phoneKey !== undefined && !verdict.phone_keys.some((one) => one.fingerprint === phoneKey)) {
    return { ok: false, fault: 'phone_key', text: 'it was signed with another phone’s key', from };
  }
  return { ...verdict, from };
}

/** Verifies a receipt. @param isTrusted returns whether the gateway key with this thumbprint is trusted */
export async function verifyReceiptText(
  text: string,
  isTrusted: (thumbprint: string) => boolean,
): Promise<ReceiptVerdict> {
  const [{ ReceiptError }, { verifyReceipt }] = await Promise.all([
    import('../approval/receipts/receipt-form.ts'),
    import('../approval/receipts/verify-receipt.ts'),
  ]);
  try {
    const { receipt, signer } = await verifyReceipt(text, isTrusted);
    const signed =
      'grant' in receipt ? [receipt.approval] : [...receipt.approvals, ...(receipt.mandate?.approvals ?? [])];
    const phone_keys = signed.map(({ sub, key }) => ({ sub, fingerprint: fingerprint(key.public_key) }));
    return { ok: true, receipt, key: signer.kid, phone_keys };
  } catch (error) {
    if (!(error instanceof ReceiptError)) throw error;
    return { ok: false, fault: error.fault, text: error.message };
  }
}

function fingerprint(publicKey: string): string {
  return createHash('sha256').update(Buffer.from(publicKey, 'base64url')).digest('base64url');
}

async function readReceiptText(file: string): Promise<string> {
  const unreadable = (why: string, cause?: unknown) =>
    new TradeAgentError('usage', `${file} can’t be read: ${why}`, {
      hint: 'Pass a file written by "trade-agent receipts export".',
      ...defined({ cause }),
    });
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'it is not a file';
    throw unreadable(code, cause);
  }
  if (bytes.length > MAX_FILE_BYTES) throw unreadable('it is too large for a receipt');
  // Invalid UTF-8 becomes replacement characters. These never occur in a receipt, so the receipt is rejected.
  return bytes.toString('utf8');
}

const MAX_RESPONSE_BYTES = 64 * 1024;
const TIMEOUT_MS = 10_000;
const THUMBPRINT = /^[A-Za-z0-9_-]{43}$/;

export interface PinnedKeys {
  readonly thumbprints: readonly string[];
  /** `pinned` if the caller specified the keys, or else the address from which the keys were fetched. */
  readonly from: string;
}

/**
 * Returns the gateway keys to trust. @throws {TradeAgentError} `usage` if a file has no key, `gateway_unreachable`
 * @param key a thumbprint, or a file with keys (JWK, JWK Set); defaults to the keys that the gateway publishes
 */
export async function loadPinnedKeys(
  app: Pick<App, 'profile' | 'fetch' | 'signal'>,
  key: string | undefined,
): Promise<PinnedKeys> {
  if (key !== undefined) {
    if (THUMBPRINT.test(key)) return { thumbprints: [key], from: 'pinned' };
    return { thumbprints: await keyThumbprints(await readKeyFile(key)), from: 'pinned' };
  }
  const { gateway } = await app.profile();
  const url = `${gateway.replace(/\/+$/, '')}${RECEIPT_KEYS_PATH}`;
  const limit = startTimeLimit(TIMEOUT_MS, app.signal);
  try {
    const answer = await createBoundedFetch(app.fetch, MAX_RESPONSE_BYTES)(url, {
      signal: limit.signal,
      redirect: 'error',
    });
    if (!answer.ok) throw new Error(`the gateway responded with HTTP status ${answer.status}`);
    return { thumbprints: await keyThumbprints(await answer.json()), from: url };
  } catch (cause) {
    if (cause instanceof TradeAgentError) throw cause;
    throw new TradeAgentError('gateway_unreachable', `the gateway’s key can’t be fetched from ${url}`, {
      hint: 'Pass the key that you trust with --key, as a file or a thumbprint.',
      cause,
    });
  } finally {
    limit.end();
  }
}

export function pinnedKeyMatcher({ thumbprints }: PinnedKeys): (thumbprint: string) => boolean {
  return (thumbprint) => thumbprints.includes(thumbprint);
}

async function readKeyFile(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch (cause) {
    throw new TradeAgentError('usage', `${file} contains no key (JWK or JWK Set)`, {
      hint: `--key takes a thumbprint of 43 characters, or a file such as the one the gateway serves at ${RECEIPT_KEYS_PATH}.`,
      cause,
    });
  }
}

async function keyThumbprints(value: unknown): Promise<string[]> {
  const { calculateJwkThumbprint } = await import('jose');
  const keys = (value as { keys?: unknown } | null)?.keys ?? [value];
  try {
    const thumbprints = await Promise.all((keys as JWK[]).map((jwk) => calculateJwkThumbprint(jwk)));
    if (thumbprints.length > 0) return thumbprints;
  } catch {
    // Not a JWK Set with keys. The error below covers this case too.
  }
  throw new TradeAgentError('usage', 'the file contains no key (JWK or JWK Set)', {
    hint: '--key takes a thumbprint of 43 characters, or a file with public keys.',
  });
}
