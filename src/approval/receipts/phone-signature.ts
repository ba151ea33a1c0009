import type { SigningKey } from '../../store/signing-key-store.ts';
import { HttpProblem } from '../../trading/http-problem.ts';
import type { SignedApproval } from '../../trading/receipt.ts';
import { type ApprovalStatement, statementChallenge } from '../signature/statement.ts';
import { verifyAssertion } from '../signature/verify-evidence.ts';
import { hasSameCanonicalForm, ReceiptError } from './receipt-form.ts';

/** Requires that the key in a receipt signed exactly this statement. @throws {ReceiptError} */
export async function requirePhoneSignature(statement: ApprovalStatement, approval: SignedApproval): Promise<void> {
  const { sub, evidence, origin, rp_id: rpId, key } = approval;
  if (!hasSameCanonicalForm(evidence.statement, statement)) {
    throw new ReceiptError('statement', 'the signed statement is not about this proposal');
  }
  if (key.credential_id !== evidence.credential_id || key.method !== evidence.method) {
    throw new ReceiptError('phone_key', 'a different key signed');
  }
  const host = URL.canParse(origin) ? new URL(origin).hostname : '';
  if (host !== rpId && !host.endsWith(`.${rpId}`)) {
    throw new ReceiptError('phone_key', 'the key’s host does not match the page on which it signed');
  }
  const challenge = statementChallenge(statement).toString('base64url');
  const asEnrolled: SigningKey = {
    credentialId: key.credential_id,
    sub,
    rpId,
    publicKey: Buffer.from(key.public_key, 'base64url'),
    algorithm: key.algorithm,
    // The key's counter was checked when the gateway received the signature.
    counter: 0,
    method: key.method,
    deviceType: key.device_type,
    backedUp: false,
    name: key.name,
    transports: [],
    enrolledAt: Date.parse(key.enrolled_at),
  };
  try {
    await verifyAssertion(
      {
        credentialId: evidence.credential_id,
        authenticatorData: evidence.authenticator_data,
        clientDataJSON: evidence.client_data_json,
        signature: evidence.signature,
      },
      { challenge: (signed) => signed === challenge, origin, rpId, sub, method: evidence.method },
      { byId: async (id) => (id === asEnrolled.credentialId ? asEnrolled : undefined) },
    );
  } catch (error) {
    if (!(error instanceof HttpProblem)) throw error;
    throw new ReceiptError('phone_signature', error.message);
  }
}
