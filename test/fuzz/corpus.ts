import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = new URL('corpus/', import.meta.url).pathname;
const fileOf = (name: string) => join(folder, `${name.replaceAll(/[^a-z]+/gi, '-').toLowerCase()}.jsonl`);

/** Inputs that reached new code or failed, one JSON string a line. */
export function readCorpus(name: string): readonly string[] {
  let text: string;
  try {
    text = readFileSync(fileOf(name), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as string);
}

/** UTF-16 code units per target, shortest inputs first. */
const MOST_KEPT = 8_000;

export function writeCorpus(name: string, corpus: readonly string[]): void {
  let room = MOST_KEPT;
  const kept = [...new Set(corpus)]
    .sort((one, other) => one.length - other.length)
    .filter(({ length }) => {
      room -= length;
      return room >= 0;
    });
  mkdirSync(folder, { recursive: true });
  writeFileSync(fileOf(name), kept.map((text) => `${JSON.stringify(text)}\n`).join(''));
}
