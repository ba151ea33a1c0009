import { interrupt } from '@langchain/langgraph';
import { isTradeAgentError } from '../../errors/errors.ts';

/** What the interrupt of a call tells the runner that needs an account elsewhere. */
export interface AwaitedConnection {
  readonly connection: string;
}

/** The account elsewhere whose absence an error is about. */
function missingConnection(error: unknown): string | undefined {
  if (!isTradeAgentError(error) || error.code !== 'connection_required') return undefined;
  const { connection } = error.details;
  return typeof connection === 'string' ? connection : undefined;
}

/**
 * Does what needs an account elsewhere. Where that isn't connected, the graph stands still at an interrupt that says
 * so, and the node runs again from its top once the run is resumed: `work` must have done nothing yet that it would
 * then do twice. Still not connected after that, the error is the result.
 */
export async function withConnection<T>(work: () => Promise<T>): Promise<T> {
  let failure: unknown;
  try {
    return await work();
  } catch (error) {
    failure = error;
  }
  // Outside the catch above, which would swallow it. Returns at once when the node runs again.
  const connection = missingConnection(failure);
  if (connection !== undefined) interrupt<AwaitedConnection, unknown>({ connection });
  throw failure;
}
