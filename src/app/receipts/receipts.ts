import { writeFile } from 'node:fs/promises';
import type { VerifiedReceipt } from '../../approval/receipts/verify-receipt.ts';
import { TradeAgentError } from '../../errors/errors.ts';
import type { Receipt, ReceiptEntry } from '../../trading/receipt.ts';
import type { App } from '../app.ts';
import { wholeId } from '../whole-id.ts';
import { pinnedKeys, trusted } from './pinned-keys.ts';
import { type ReceiptVerdict, verdictOf } from './verify-file.ts';

/** As many as a list has. */
const MOST_LISTED = 100;

/** The user's receipts, newest first. @throws {TradeAgentError} `login_required` */
export async function listReceipts(app: App): Promise<ReceiptEntry[]> {
  return await (await app.gateway()).receipts(MOST_LISTED);
}

/** The text of one's file. @throws {TradeAgentError} `not_found`, `login_required` */
async function receiptText(app: App, typed: string): Promise<string> {
  const id = await wholeId(typed, {
    called: 'receipts',
    whole: /^(pr_[0-9A-Za-z]{16,}|ta-[A-Za-z0-9_-]{16,})$/,
    list: async () => (await listReceipts(app)).map((entry) => entry.id),
  });
  const { receiptText: textOf } = await import('../../approval/receipts/receipt-form.ts');
  return textOf((await (await app.gateway()).receipt(id)) as Receipt);
}

/**
 * One receipt, and whether it holds by the key that the profile's gateway says is its own.
 * @param id a proposal's, or its beginning; or an order's `client_order_id`
 * @throws {TradeAgentError} `not_found`, `usage`, `login_required`
 */
export async function findReceipt(app: App, id: string): Promise<ReceiptVerdict> {
  return await verdictOf(await receiptText(app, id), trusted(await pinnedKeys(app, undefined)));
}

/**
 * Writes one's file, which verifies without this program.
 * @param to where; `receipt-ID.json` in the folder that one is in
 * @throws {TradeAgentError} `not_found`; `usage` where there is such a file already
 */
export async function exportReceipt(
  app: App,
  id: string,
  to: string | undefined,
): Promise<{ readonly id: string; readonly file: string; readonly key: string }> {
  const text = await receiptText(app, id);
  const { signer, receipt } = await whole(text);
  const file = to ?? `receipt-${receipt.proposal.id}.json`;
  try {
    await writeFile(file, text, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    throw new TradeAgentError(
      'usage',
      code === 'EEXIST' ? `there is a file ${file} already` : `${file} can’t be written`,
      { hint: 'Name another with --to FILE.', details: { file } },
    );
  }
  return { id: receipt.proposal.id, file, key: signer.kid };
}

/** Signed by whoever: its reader says whom they believe. @throws {TradeAgentError} `gateway_refused` */
async function whole(text: string): Promise<Pick<VerifiedReceipt, 'signer'> & { receipt: Receipt }> {
  const { signerOf } = await import('../../approval/receipts/receipt-key.ts');
  const { receiptPayload } = await import('../../approval/receipts/receipt-form.ts');
  const receipt = JSON.parse(text) as Receipt;
  const signer = await signerOf(receipt.signature, receiptPayload(receipt)).catch(() => undefined);
  if (signer !== undefined) return { signer, receipt };
  throw new TradeAgentError('gateway_refused', 'what the gateway gave is no receipt that it signed', {
    hint: 'Have its operator look at it: "trade-agent gateway audit verify".',
  });
}
