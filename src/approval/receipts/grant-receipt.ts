import type { GrantReceipt } from '../../trading/receipt.ts';
import { GRANT_DETAILS_TYPE, parseGrantDetails } from '../signature/grant.ts';
import { approvalStatement } from '../signature/statement.ts';
import { requirePhoneSignature } from './phone-signature.ts';
import { ReceiptError } from './receipt-form.ts';
import type { ReceiptJwk } from './receipt-key.ts';
import { requireMatchingGrantRecord } from './receipt-record.ts';

/**
 * Verifies everything in a grant's receipt except the gateway's own signature: the terms match the digest, the person's
 * own key signed exactly this grant, and the audit log shows both the key and the signature.
 * @throws {ReceiptError}
 */
export async function requireValidGrant(receipt: Omit<GrantReceipt, 'signature'>, signer: ReceiptJwk): Promise<void> {
  const { gateway, grant, approval } = receipt;
  const { sub } = readTerms(receipt);
  if (approval.sub !== sub) throw new ReceiptError('not_signed', 'the grant was not signed by the person who gave it');
  await requirePhoneSignature(approvalStatement(grantDetailsOf(gateway, grant), sub), approval);
  requireMatchingGrantRecord(receipt, signer);
}

function readTerms({ gateway, grant }: Pick<GrantReceipt, 'gateway' | 'grant'>) {
  try {
    return parseGrantDetails(grantDetailsOf(gateway, grant)).grant;
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new ReceiptError('grant', error.message);
  }
}

function grantDetailsOf(gateway: string, { id, digest, terms }: GrantReceipt['grant']) {
  return { type: GRANT_DETAILS_TYPE, locations: [gateway], identifier: id, digest, grant: terms };
}
