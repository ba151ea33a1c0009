import { isTradeAgentError } from '../../errors/errors.ts';
import { connectCommand } from '../../tools/gateway/gateway-problem.ts';
import type { ConnectionView } from '../events.ts';
import type { GraphEnvironment } from '../graph/graph-environment.ts';

/** Milliseconds between two questions whether it is connected. */
const PAUSE_MS = 2_000;

export function connectionView(name: string, status: ConnectionView['status']): ConnectionView {
  return { name, status, command: connectCommand(name) };
}

/**
 * Waits until an account elsewhere is connected: until `connectBy`, or as long as an approval may take.
 * @param options.once asks once, and comes back either way
 * @returns `missing` where it was not connected in time, `needed` where there is time left
 * @throws the signal's reason, when the run ends first
 */
export async function waitForConnection(
  {
    gateway,
    clock,
    profile,
    emit,
    connectBy,
  }: Pick<GraphEnvironment, 'gateway' | 'clock' | 'profile' | 'emit' | 'connectBy'>,
  name: string,
  signal: AbortSignal,
  { once = false }: { once?: boolean } = {},
): Promise<ConnectionView['status']> {
  const deadline = connectBy ?? clock.now() + profile.approval_ttl * 1000;
  let told = false;
  for (;;) {
    const connected = await (gateway?.isConnected(name) ?? Promise.resolve(false)).catch((error: unknown) => {
      signal.throwIfAborted();
      // No answer is no "no": the network may come back before the deadline.
      if (!isTradeAgentError(error)) throw error;
      return false;
    });
    signal.throwIfAborted();
    if (connected) {
      emit({ type: 'connection', connection: connectionView(name, 'connected') });
      return 'connected';
    }
    if (!told) emit({ type: 'connection', connection: connectionView(name, 'needed') });
    told = true;
    const left = deadline - clock.now();
    if (left <= 0) {
      emit({ type: 'connection', connection: connectionView(name, 'missing') });
      return 'missing';
    }
    if (once) return 'needed';
    await clock.sleep(Math.min(PAUSE_MS, left), signal);
  }
}
