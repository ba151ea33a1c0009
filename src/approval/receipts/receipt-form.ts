import canonicalize from 'canonicalize';
import type { GrantReceipt, Receipt } from '../../trading/receipt.ts';

/** Returns what a receipt's signature covers: the RFC 8785 form of the receipt without the signature. */
export function receiptPayload({
  signature: _,
  ...rest
}: {
  readonly type: string;
  readonly signature?: unknown;
}): string {
  return canonical(rest);
}

/** Returns the text of a receipt's file: its RFC 8785 form and a line feed. */
export function receiptText(receipt: Receipt | GrantReceipt): string {
  return `${canonical(receipt)}\n`;
}

/** Returns whether two values have the same RFC 8785 form. */
export function hasSameCanonicalForm(one: unknown, other: unknown): boolean {
  return canonicalize(one) === canonicalize(other);
}

/** Maximum nesting of a receipt and of its lines. */
const MAX_DEPTH = 32;

/**
 * Returns whether all JSON parsers read this value the same way: numbers are whole and exact as doubles, strings are
 * well-formed Unicode, no member is named `__proto__` or like an array index, and the nesting is limited.
 */
export function isPlainJson(value: unknown, depth = 0): boolean {
  if (typeof value === 'string') return value.isWellFormed();
  if (typeof value === 'number') return Number.isSafeInteger(value);
  if (typeof value !== 'object' || value === null) return true;
  if (depth >= MAX_DEPTH) return false;
  if (Array.isArray(value)) return value.every((one) => isPlainJson(one, depth + 1));
  return Object.entries(value).every(
    ([name, member]) =>
      name !== '__proto__' && !/^[0-9]+$/.test(name) && name.isWellFormed() && isPlainJson(member, depth + 1),
  );
}

export type ReceiptFault =
  | 'form'
  | 'signer'
  | 'gateway_signature'
  | 'proposal'
  | 'grant'
  | 'not_signed'
  | 'statement'
  | 'phone_key'
  | 'phone_signature'
  | 'mandate'
  | 'decision'
  | 'order'
  | 'state'
  | 'time'
  | 'record'
  | 'exceeded';

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
