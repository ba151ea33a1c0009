import { verdictOf } from '../../src/app/receipts/verify-file.ts';
import { RECEIPT_KEYS_PATH, type Receipt } from '../../src/trading/receipt.ts';
import type { LoadWorld } from '../load/world.ts';

/** Asked for at once. */
const LANES = 8;

/**
 * What is wrong with the receipts of what was ordered, by the code of "receipts verify" and the key that the gateways publish:
 * empty where each holds as far as it can. Approvals are not signed in a world of load, so each ends with `not_signed`: by then
 * its form, its gateway's signature and its digest hold. That it is of one order, which was placed, is looked at here.
 */
export async function receiptFaults(
  world: Pick<LoadWorld, 'open'>,
  proposals: readonly string[],
): Promise<string[]> {
  const { signal } = new AbortController();
  const get = async (path: string) => (await world.open(path, signal)).text();
  const { keys } = JSON.parse(await get(RECEIPT_KEYS_PATH)) as { keys: { kid: string }[] };
  const isTrusted = (thumbprint: string) => keys.some(({ kid }) => kid === thumbprint);
  const faults: string[] = [];
  const waiting = [...proposals];
  const lane = async () => {
    for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
      const text = await get(`/v1/receipts/${id}`);
      const verdict = await verdictOf(text, isTrusted);
      const { orders, proposal } = JSON.parse(text) as Partial<Receipt>;
      const isPlaced = orders?.length === 1 && orders[0]?.state === 'placed' && proposal?.id === id;
      if (verdict.ok || verdict.fault !== 'not_signed' || !isPlaced)
        faults.push(`${id}: ${verdict.ok ? 'holds, though nobody signed it' : verdict.fault}`);
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return faults;
}
