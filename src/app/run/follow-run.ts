import type { AgentEvent, RunResult } from '../../agent/events.ts';
import { RunFollower } from '../../agent/run/run-follower.ts';

/**
 * Takes a run from its first event to its result, also where it is cut off on the way.
 * @param show is given every event but the last, which is the result
 * @param thread where it is known before the run says so
 * @throws what the run throws before it has a thread
 */
export async function followRun(
  events: AsyncIterable<AgentEvent>,
  signal: AbortSignal,
  show: (event: AgentEvent) => void | Promise<void>,
  thread?: string,
): Promise<RunResult> {
  const follower = new RunFollower();
  if (thread !== undefined) follower.follow({ type: 'thread', thread });
  let failure: unknown;
  try {
    for await (const event of events) {
      follower.follow(event);
      if (event.type !== 'result') await show(event);
    }
  } catch (error) {
    failure = error;
  }
  return follower.result(signal.aborted ? signal.reason : failure);
}
