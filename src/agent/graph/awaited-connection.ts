import { interrupt } from '@langchain/langgraph';
import { isTradeAgentError } from '../../errors/errors.ts';

export interface AwaitedConnection {
  readonly connection: string;
}

function missingConnection(error: unknown): string | undefined {
  if (!isTradeAgentError(error) || error.code !== 'connection_required') return undefined;
  const { connection } = error.details;
  return typeof connection === 'string' ? connection : undefined;
}

/**
 * Runs `work`, which may need a connected account. If the account is missing, interrupts the graph node. On resume, the
 * node runs again from its start, so `work` must be safe to repeat.
 * @throws the error of `work` if the error has another cause, or if the account is still missing after the resume
 */
export async function runOnceConnected<T>(work: () => Promise<T>): Promise<T> {
  let failure: unknown;
  try {
    return await work();
  } catch (error) {
    failure = error;
  }
  // `interrupt` throws to stop the node. When the node runs again after the resume, `interrupt` returns immediately,
  // and a second failure is thrown.
  const connection = missingConnection(failure);
  if (connection !== undefined) interrupt<AwaitedConnection, unknown>({ connection });
  throw failure;
}
