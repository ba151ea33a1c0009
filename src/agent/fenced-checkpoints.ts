import type { BaseCheckpointSaver } from '@langchain/langgraph';

/**
 * A saver that writes only while `mayWrite` lets it. A process that stood still for longer than its lease on the
 * thread would otherwise, on waking, store a checkpoint on top of those of the process that took over: the graph would
 * then go on from the old one, and approvals that the other asked for would belong to nothing.
 * @param mayWrite throws where this run no longer holds the thread
 */
export function fencedCheckpoints<S extends BaseCheckpointSaver>(saver: S, mayWrite: () => void): S {
  return new Proxy(saver, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== 'function') return member;
      if (name !== 'put' && name !== 'putWrites') return member.bind(target);
      return async (...given: unknown[]) => {
        mayWrite();
        return await member.apply(target, given);
      };
    },
  });
}
