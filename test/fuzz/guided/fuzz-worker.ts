import { parentPort, workerData } from 'node:worker_threads';
import { installCoverage } from './coverage.ts';
import { instrumentSources } from './instrument.ts';
import { bred } from './mutate.ts';

export interface Job {
  readonly group: string;
  readonly name: string;
  readonly forMs: number;
  readonly corpus: readonly string[];
  readonly words: readonly string[];
  /** The current input: its length and code units. */
  readonly reading: SharedArrayBuffer;
}

export type News =
  /** The corpus entries that reached code the seeds and earlier entries did not. */
  | { readonly found: 'needed'; readonly texts: readonly string[] }
  | { readonly found: 'interesting'; readonly text: string }
  | { readonly found: 'failure'; readonly text: string; readonly error: string }
  | {
      readonly found: 'end';
      readonly executions: number;
      readonly edges: { readonly taken: number; readonly all: number };
    };

const { group, name, forMs, corpus, words, reading } = workerData as Job;
const tell = (news: News) => parentPort?.postMessage(news);

const coverage = installCoverage();
instrumentSources();
const { openTarget } = await import('../targets/targets.ts');
const target = await openTarget(group, name);
coverage.isNew();

const [ticks, length] = [new Uint32Array(reading, 0, 1), new Uint32Array(reading, 4, 1)];
const units = new Uint16Array(reading, 8);
let executions = 0;

async function read(text: string): Promise<boolean> {
  for (let at = 0; at < text.length; at++) units[at] = text.charCodeAt(at);
  length[0] = text.length;
  Atomics.add(ticks, 0, 1);
  executions += 1;
  try {
    await target.read(text);
  } catch (error) {
    const shown = error instanceof Error ? (error.stack ?? error.message) : String(error);
    tell({ found: 'failure', text, error: shown });
  }
  return coverage.isNew();
}

const seeds = [...(await target.seeds()), ...corpus].filter(({ length }) => length <= units.length);
/** Room to grow, but not for more of the same without end. */
const longest = Math.min(units.length, 500 + Math.max(...seeds.map(({ length }) => length)));
const living: string[] = [];
for (const text of seeds) if (await read(text)) living.push(text);
tell({ found: 'needed', texts: living.filter((text) => corpus.includes(text)) });

const until = Date.now() + forMs;
let known = [...new Set([...words, ...coverage.words])];
while (Date.now() < until) {
  const text = bred({ random: Math.random, corpus: living, words: known, longest });
  if (!(await read(text))) continue;
  living.push(text);
  tell({ found: 'interesting', text });
  known = [...new Set([...words, ...coverage.words])];
}
tell({ found: 'end', executions, edges: coverage.edges });
await target.close?.();
