import canonicalize from 'canonicalize';
import type { Receipt, UnsignedReceipt } from '../../trading/receipt.ts';

/** What a receipt's signature is of: the RFC 8785 form of all but the signature. */
export function receiptPayload({ signature: _, ...rest }: UnsignedReceipt & Partial<Receipt>): string {
  return canonical(rest);
}

/** A receipt's file: its RFC 8785 form, and a line feed. */
export function receiptText(receipt: Receipt): string {
  return `${canonical(receipt)}\n`;
}

/** Whether two have the same RFC 8785 form. */
export function same(one: unknown, other: unknown): boolean {
  return canonicalize(one) === canonicalize(other);
}

/** The last part of a name: what of a receipt was not as it must be. */
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

/** Why a text is no receipt that shows anything. */
export class NoReceipt extends Error {
  override readonly name = 'NoReceipt';
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
