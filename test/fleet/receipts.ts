import { verifyReceiptText } from '../../src/app/receipts.ts';
import { RECEIPT_KEYS_PATH } from '../../src/trading/receipt.ts';
import type { Trader } from './homes.ts';

/** Asked for at once. */
const LANES = 8;

/** An order that was carried out. */
interface Ordered {
  readonly id: string;
  /** Whether it was approved by a mandate, and not by a tap of its own. */
  readonly isMandated: boolean;
}

/** By whom a receipt must be signed. */
interface Signers {
  /** Whether a home's key is one that it publishes, by its thumbprint. */
  isTrusted(thumbprint: string): boolean;
  /** Of the person's passkey, base64url. */
  readonly publicKey: string;
}

/**
 * What is wrong with the receipts of what a person ordered, by the code of "receipts verify", the keys that the home publishes and
 * their passkey: empty where each verifies whole, and is of one order, which was placed, of its proposal.
 */
export async function receiptFaults(trader: Trader, orders: readonly Ordered[]): Promise<string[]> {
  const { signal } = new AbortController();
  const get = async (path: string) => {
    const response = await trader.open(path, signal);
    const text = await response.text();
    if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
    return text;
  };
  const { keys } = JSON.parse(await get(RECEIPT_KEYS_PATH)) as { keys: { kid: string }[] };
  const isTrusted = (thumbprint: string) => keys.some(({ kid }) => kid === thumbprint);
  const { publicKey } = trader.phone;
  const faults: string[] = [];
  const waiting = [...orders];
  const lane = async () => {
    for (let order = waiting.pop(); order !== undefined; order = waiting.pop()) {
      const fault = await get(`/v1/receipts/${order.id}`).then(
        (text) => faultOf(text, order, { isTrusted, publicKey }),
        (error: Error) => error.message,
      );
      if (fault !== undefined) faults.push(`${order.id}: ${fault}`);
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return faults;
}

async function faultOf(text: string, { id, isMandated }: Ordered, signers: Signers): Promise<string | undefined> {
  const verdict = await verifyReceiptText(text, signers.isTrusted);
  if (!verdict.ok) return `${verdict.fault}: ${verdict.text}`;
  if ('grant' in verdict.receipt) return 'not of an order';
  const { approvals, orders, proposal } = verdict.receipt;
  const isTheirs = approvals.every(({ key }) => key.public_key === signers.publicKey);
  if (!isTheirs || (!isMandated && approvals.length !== 1)) return 'not signed by one passkey of theirs';
  const isPlaced = orders.length === 1 && orders[0]?.state === 'placed' && proposal.id === id;
  return isPlaced ? undefined : 'not of one order of this proposal, placed';
}
