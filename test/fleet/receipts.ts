import { verifyReceiptText } from '../../src/app/receipts.ts';
import type { SigningKey } from '../../src/store/signing-key-store.ts';
import { RECEIPT_KEYS_PATH } from '../../src/trading/receipt.ts';
import type { LoadPerson } from '../load/people.ts';

/** Asked for at once. */
const LANES = 8;

/** By whom a receipt must be signed. */
interface Signers {
  /** Whether a gateway's key is one that the gateways publish, by its thumbprint. */
  isTrusted(thumbprint: string): boolean;
  /** The person's, as they were enrolled. */
  readonly passkeys: readonly SigningKey[];
}

/**
 * What is wrong with the receipts of what a person ordered, by the code of "receipts verify", the keys that the gateways publish and
 * their passkeys: empty where each verifies whole, and is of one order, which was placed, of its proposal.
 */
export async function receiptFaults(
  person: Pick<LoadPerson, 'open'>,
  proposals: readonly string[],
  passkeys: readonly SigningKey[],
): Promise<string[]> {
  const { signal } = new AbortController();
  const get = async (path: string) => (await person.open(path, signal)).text();
  const { keys } = JSON.parse(await get(RECEIPT_KEYS_PATH)) as { keys: { kid: string }[] };
  const isTrusted = (thumbprint: string) => keys.some(({ kid }) => kid === thumbprint);
  const faults: string[] = [];
  const waiting = [...proposals];
  const lane = async () => {
    for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
      const fault = await faultOf(await get(`/v1/receipts/${id}`), id, { isTrusted, passkeys });
      if (fault !== undefined) faults.push(`${id}: ${fault}`);
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return faults;
}

async function faultOf(text: string, id: string, { isTrusted, passkeys }: Signers): Promise<string | undefined> {
  const verdict = await verifyReceiptText(text, isTrusted);
  if (!verdict.ok) return `${verdict.fault}: ${verdict.text}`;
  const { approvals, orders, proposal } = verdict.receipt;
  const isOfPasskey = ({ sub, key }: (typeof approvals)[number]) =>
    passkeys.some(
      ({ sub: whose, method, publicKey }) =>
        whose === sub && method === 'webauthn' && Buffer.from(publicKey).toString('base64url') === key.public_key,
    );
  if (approvals.length !== 1 || !approvals.every(isOfPasskey)) return 'not signed by one passkey of theirs';
  const isPlaced = orders.length === 1 && orders[0]?.state === 'placed' && proposal.id === id;
  return isPlaced ? undefined : 'not of one order of this proposal, placed';
}
