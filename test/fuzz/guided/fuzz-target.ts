import { Worker } from 'node:worker_threads';
import type { Job, News } from './fuzz-worker.ts';

/** Milliseconds for one input: whatever takes longer hangs, or could be made to by a few more letters. */
export const HANG_MS = 5_000;
const START_MS = 120_000;
const LONGEST = 30_000;
const MOST_FAILURES = 5;

export interface Failure {
  readonly text: string;
  readonly error: string;
}

export interface Fuzzed {
  readonly executions: number;
  readonly edges: { readonly taken: number; readonly all: number };
  readonly needed: readonly string[];
  readonly interesting: readonly string[];
  readonly failures: readonly Failure[];
}

/** Runs in a thread, so that a hang can be ended and reported. */
export async function fuzzTarget(job: Omit<Job, 'reading'>, hangMs = HANG_MS): Promise<Fuzzed> {
  const reading = new SharedArrayBuffer(8 + 2 * LONGEST);
  const [ticks, length] = [new Uint32Array(reading, 0, 1), new Uint32Array(reading, 4, 1)];
  let needed: readonly string[] = [];
  const interesting: string[] = [];
  const failures = new Map<string, Failure>();
  let end: Extract<News, { found: 'end' }> | undefined;

  const worker = new Worker(new URL('./fuzz-worker.ts', import.meta.url), {
    workerData: { ...job, reading } satisfies Job,
    execArgv: ['--no-warnings'],
    stdout: true,
    resourceLimits: { maxOldGenerationSizeMb: 2_000 },
  });
  worker.on('message', (news: News) => {
    if (news.found === 'interesting') interesting.push(news.text);
    else if (news.found === 'needed') needed = news.texts;
    else if (news.found === 'end') end = news;
    else {
      const place = news.error
        .split('\n')
        .slice(0, 3)
        .join('\n')
        .replace(/\d{3,}/g, '…');
      if (!failures.has(place)) failures.set(place, news);
      if (failures.size >= MOST_FAILURES) void worker.terminate();
    }
  });
  const failed = (error: string) => failures.set(error, { error, text: textIn(reading, length[0] as number) });

  let seen = 0;
  let since = Date.now();
  const watch = setInterval(() => {
    const now = Date.now();
    const tick = Atomics.load(ticks, 0);
    if (tick !== seen) since = now;
    seen = tick;
    if (end !== undefined || now - since < (tick === 0 ? START_MS : hangMs)) return;
    failed(tick === 0 ? 'it does not start' : `it hangs: ${hangMs} ms on one input`);
    void worker.terminate();
  }, 250);
  try {
    await new Promise<void>((resolve) => {
      worker.once('error', (error) => {
        failed(error instanceof Error ? (error.stack ?? error.message) : String(error));
      });
      worker.once('exit', () => resolve());
    });
  } finally {
    clearInterval(watch);
  }
  const { executions = seen, edges = { taken: 0, all: 0 } } = end ?? {};
  return { executions, edges, needed, interesting, failures: [...failures.values()] };
}

function textIn(reading: SharedArrayBuffer, length: number): string {
  return String.fromCharCode(...new Uint16Array(reading, 8, length));
}
