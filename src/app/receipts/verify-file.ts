import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { ReceiptFault } from '../../approval/receipts/receipt-form.ts';
import { TradeAgentError } from '../../errors/errors.ts';
import type { Receipt } from '../../trading/receipt.ts';
import { defined } from '../../values/defined.ts';
import type { App } from '../app.ts';
import { pinnedKeys, trusted } from './pinned-keys.ts';

/** Larger than any receipt: twenty orders with what was said about each. */
const LONGEST_FILE = 4 * 1024 * 1024;

/** Whether a file is a receipt that holds; else the first thing about it that does not. */
export type ReceiptVerdict =
  | {
      readonly ok: true;
      readonly receipt: Receipt;
      /** Thumbprint of the gateway's key (RFC 7638). */
      readonly key: string;
      /** base64url(SHA-256) of each person's public key (COSE_Key), by who they are. */
      readonly phone_keys: readonly { readonly sub: string; readonly fingerprint: string }[];
    }
  | { readonly ok: false; readonly fault: ReceiptFault; readonly text: string };

/**
 * Verifies a file; by itself, where a key is named.
 * @param options.phoneKey the fingerprint that one of the people's keys must have
 * @throws {TradeAgentError} `usage` for a file that can't be read; as {@link pinnedKeys}
 */
export async function verifyReceiptFile(
  app: Pick<App, 'profile' | 'fetch' | 'signal'>,
  file: string,
  { key, phoneKey }: { readonly key?: string | undefined; readonly phoneKey?: string | undefined },
): Promise<ReceiptVerdict & { readonly from: string }> {
  const text = await textOf(file);
  const pinned = await pinnedKeys(app, key);
  const verdict = await verdictOf(text, trusted(pinned));
  const { from } = pinned;
  if (
    verdict.ok &&
    phoneKey !== undefined &&
    !verdict.phone_keys.some((one) => one.fingerprint === phoneKey)
  ) {
    return { ok: false, fault: 'phone_key', text: 'another phone’s key signed it', from };
  }
  return { ...verdict, from };
}

/** @param isTrusted by a gateway key's thumbprint */
export async function verdictOf(
  text: string,
  isTrusted: (thumbprint: string) => boolean,
): Promise<ReceiptVerdict> {
  const [{ NoReceipt }, { verifyReceipt }] = await Promise.all([
    import('../../approval/receipts/receipt-form.ts'),
    import('../../approval/receipts/verify-receipt.ts'),
  ]);
  try {
    const { receipt, signer } = await verifyReceipt(text, isTrusted);
    const { approvals, mandate } = receipt;
    const signed = [...approvals, ...(mandate?.approvals ?? [])];
    const phone_keys = signed.map(({ sub, key }) => ({ sub, fingerprint: fingerprint(key.public_key) }));
    return { ok: true, receipt, key: signer.kid, phone_keys };
  } catch (error) {
    if (!(error instanceof NoReceipt)) throw error;
    return { ok: false, fault: error.fault, text: error.message };
  }
}

function fingerprint(publicKey: string): string {
  return createHash('sha256').update(Buffer.from(publicKey, 'base64url')).digest('base64url');
}

async function textOf(file: string): Promise<string> {
  const unreadable = (why: string, cause?: unknown) =>
    new TradeAgentError('usage', `${file} can’t be read: ${why}`, {
      hint: 'Name a receipt’s file, as "trade-agent receipts export" writes it.',
      ...defined({ cause }),
    });
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'it is no file';
    throw unreadable(code, cause);
  }
  if (bytes.length > LONGEST_FILE) throw unreadable('it is too long for a receipt');
  // Bytes that are no UTF-8 become characters that no receipt has.
  return bytes.toString('utf8');
}
