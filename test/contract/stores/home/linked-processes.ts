import type { OtherProcesses, ProcessNotification } from '../../../../src/store/other-processes.ts';

/** The notifications of two processes to each other. */
export function linkedProcesses(): [OtherProcesses, OtherProcesses] {
  const listeners = [new Set<(news: ProcessNotification) => void>(), new Set<(news: ProcessNotification) => void>()];
  const process = (own: number): OtherProcesses => ({
    notify: (news) => listeners[1 - own]?.forEach((listener) => void listener(news)),
    subscribe: (listener) => {
      listeners[own]?.add(listener);
      return () => listeners[own]?.delete(listener);
    },
  });
  return [process(0), process(1)];
}
