import type { BaseCheckpointSaver } from '@langchain/langgraph';
import { failpoint } from '../../machine/failpoint.ts';

/** Gives a test build a place to die before and after each checkpoint that the graph stores. */
export function watchCheckpoints(saver: BaseCheckpointSaver): void {
  const put = saver.put.bind(saver);
  saver.put = async (...checkpoint) => {
    failpoint('checkpoint.before');
    const config = await put(...checkpoint);
    failpoint('checkpoint.stored');
    return config;
  };
}
