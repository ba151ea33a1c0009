import { setTimeout as sleep } from 'node:timers/promises';
import type { McpTask, TaskSource } from '../../src/mcp/server/tasks.ts';

type Answers = Record<string, { content?: Record<string, unknown> }>;
type Work = (ask: (requests: Record<string, object>) => Promise<Answers>, signal: AbortSignal) => Promise<object>;

export interface FixtureTasks extends TaskSource {
  begin(work: Work): { id: string; task: McpTask };
}

export function fixtureTasks(): FixtureTasks {
  const tasks = new Map<string, { task: McpTask; answer: (given: Answers) => void; stop: AbortController }>();
  return {
    begin(work) {
      const id = crypto.randomUUID();
      const stop = new AbortController();
      const now = () => new Date().toISOString();
      const base = { createdAt: now(), ttlMs: 600_000, pollIntervalMs: 100 };
      const set = (change: Omit<McpTask, 'createdAt' | 'ttlMs' | 'pollIntervalMs' | 'lastUpdatedAt'>) => {
        const entry = tasks.get(id);
        if (entry !== undefined && ['completed', 'failed', 'cancelled'].includes(entry.task.status)) return;
        tasks.set(id, {
          task: { ...base, lastUpdatedAt: now(), ...change },
          answer: entry?.answer ?? (() => {}),
          stop,
        });
      };
      const ask = (requests: Record<string, object>) => {
        const answers: Answers = {};
        const { promise, resolve } = Promise.withResolvers<Answers>();
        const left = () => Object.fromEntries(Object.entries(requests).filter(([key]) => !(key in answers)));
        const wait = () => {
          set({ status: 'input_required', inputRequests: left() });
          const entry = tasks.get(id);
          if (entry) entry.answer = given;
        };
        const given = (more: Answers) => {
          for (const key of Object.keys(requests)) if (more[key] !== undefined) answers[key] = more[key];
          if (Object.keys(left()).length > 0) return wait();
          set({ status: 'working' });
          resolve(answers);
        };
        wait();
        return promise;
      };
      set({ status: 'working' });
      // Not before it was told that there is a task.
      const working = Promise.resolve().then(() => work(ask, stop.signal));
      working.then(
        (result) => set({ status: 'completed', result }),
        (error: Error) => set({ status: 'failed', error: { code: -32603, message: error.message } }),
      );
      return { id, task: tasks.get(id)?.task as McpTask };
    },
    get: async (id) => tasks.get(id)?.task,
    async cancel(id) {
      const entry = tasks.get(id);
      if (entry === undefined) return false;
      entry.stop.abort();
      if (!['completed', 'failed', 'cancelled'].includes(entry.task.status)) {
        entry.task = { ...entry.task, status: 'cancelled' };
        delete (entry.task as { inputRequests?: unknown }).inputRequests;
      }
      return true;
    },
    async update(id, responses) {
      tasks.get(id)?.answer(responses as Answers);
      return tasks.has(id);
    },
  };
}

export const seconds = (count: number, signal: AbortSignal) => sleep(count * 1_000, undefined, { signal });
