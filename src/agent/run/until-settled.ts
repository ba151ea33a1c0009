import { Command, type StateSnapshot } from '@langchain/langgraph';
import type { AgentGraph } from '../graph/graph.ts';
import type { GraphEnvironment } from '../graph/graph-environment.ts';
import { InterruptWaits, interruptsOf } from './interrupt-waits.ts';

export type GraphConfig = Parameters<AgentGraph['getState']>[0] & {
  durability: 'sync';
  recursionLimit: number;
};

/**
 * Waits on every interrupted call at once, and resumes each by its interrupt's id as soon as it is decided.
 * @param shown proposals that the run's stream has told of; those told of here are added
 * @returns how the graph stands when nothing is left, or what is left is not for this run to wait for
 */
export async function untilSettled(
  environment: GraphEnvironment,
  graph: AgentGraph,
  config: GraphConfig,
  shown: Set<string>,
): Promise<StateSnapshot> {
  const ended = new AbortController();
  const signal = AbortSignal.any([environment.signal, ended.signal]);
  const waits = new InterruptWaits(environment, signal, shown);
  try {
    for (;;) {
      const stands = await graph.getState(config);
      const steps = await Promise.all(
        interruptsOf(stands.tasks).map(async (awaited) => [awaited, await waits.next(awaited)] as const),
      );
      const ready = steps.filter(([, next]) => next === 'resume');
      if (ready.length > 0) {
        await environment.requireLease();
        const resume = Object.fromEntries(ready.map(([{ interrupt, ...awaited }]) => [interrupt, awaited]));
        await graph.invoke(new Command({ resume }), config);
        continue;
      }
      const waiting = steps.flatMap(([, next]) => (typeof next === 'object' ? [next.settles] : []));
      if (waiting.length === 0) return stands;
      try {
        await Promise.race(waiting);
      } catch (error) {
        if (signal.aborted) return stands;
        throw error;
      }
    }
  } finally {
    // Whatever ended the run, no poll goes on behind it.
    ended.abort();
    await waits.ended();
  }
}
