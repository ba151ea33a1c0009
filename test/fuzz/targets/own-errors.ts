import { InvalidArgumentError } from 'commander';
import { ReceiptError } from '../../../src/approval/receipts/receipt-form.ts';
import { isTradeAgentError } from '../../../src/errors/errors.ts';
import { UnacceptableDetailsError } from '../../../src/home/identity-provider/approval-subject.ts';
import { ProblemError } from '../../../src/trading/http-problem.ts';

export const isOwnError = (error: unknown): boolean =>
  isTradeAgentError(error) ||
  [ProblemError, ReceiptError, UnacceptableDetailsError, InvalidArgumentError].some((kind) => error instanceof kind);

/** @throws unexpected errors */
export async function readsOrRefuses(read: () => unknown): Promise<void> {
  try {
    await read();
  } catch (error) {
    if (!isOwnError(error)) throw error;
  }
}
