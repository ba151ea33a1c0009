import canonicalize from 'canonicalize';
import type { Receipt, UnsignedReceipt } from '../../trading/receipt.ts';

/** Returns what a receipt's signature covers: the RFC 8785 form of the receipt without the signature. */
export function receiptPayload({ signature: _, ...rest }: UnsignedReceipt & Partial<Receipt>): string {
  return canonical(rest);
}

/** Returns the text of a receipt's file: its RFC 8785 form and a line feed. */
export function receiptText(receipt: Receipt): string {
  return `${canonical(receipt)}\n`;
}

/** Whether two values have the same RFC 8785 form. */
export function hasSameCanonicalForm(one: unknown, other: unknown): boolean {
  return canonicalize(one) === canonicalize(other);
}

export type ReceiptFault =
  | 'form'
  | 'signer'
  | 'gateway_signature'
  | 'proposal'
  | 'not_signed'
  | 'statement'
  | 'phone_key'
  | 'phone_signature'
  | 'mandate'
  | 'decision'
  | 'order'
  | 'record';

/** Thrown if a file is not a valid receipt. */
export class ReceiptError extends Error {
  override readonly name = 'ReceiptError';
  readonly fault: ReceiptFault;

  constructor(fault: ReceiptFault, message: string) {
    super(message);
    this.fault = fault;
  }
}

function canonical(value: unknown): string {
  const text = canonicalize(value);
  if (text === undefined) throw new TypeError('a receipt has no canonical form');
  return text;
}
