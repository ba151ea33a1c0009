/**
 * What Jazzer.js's instrumentation calls (`Fuzzer`), in the place of its own engine: counters of the edges that were taken,
 * and what was compared with what.
 */
export interface Coverage {
  /** Whether a new edge was taken, or one more often than before. */
  isNew(): boolean;
  readonly edges: { readonly taken: number; readonly all: number };
  /** Texts that the input was compared with. */
  readonly words: readonly string[];
}

type Operator = '==' | '===' | '!=' | '!==' | '<' | '<=' | '>' | '>=';

/** As AFL counts: once, twice, three times, up to 7, 15, 31, 127 and more often are different. */
const bucketOf = Uint8Array.from({ length: 256 }, (_, count) => {
  if (count < 4) return count === 0 ? 0 : 1 << (count - 1);
  return (1 << [8, 16, 32, 128, 256].findIndex((limit) => count < limit)) << 3;
});

const MOST_WORDS = 2_000;
const LONGEST_WORD = 64;

/** Call once per process, before instrumented modules are loaded. */
export function installCoverage(): Coverage {
  const modules: { readonly counters: Uint8Array; readonly seen: Uint8Array }[] = [];
  const words = new Set<string>();
  let taken = 0;
  let all = 0;

  function compared(one: unknown, other: unknown): void {
    for (const word of [one, other]) {
      const text = typeof word === 'number' ? String(word) : word;
      if (typeof text !== 'string' || text === '' || text.length > LONGEST_WORD) continue;
      if (words.size < MOST_WORDS) words.add(text);
    }
  }
  function compare(one: unknown, other: unknown, operator: Operator): boolean {
    const [a, b] = [one as number, other as number];
    switch (operator) {
      case '==':
        // biome-ignore lint/suspicious/noDoubleEquals: it stands for the one in the source
        return a == b;
      case '===':
        return a === b;
      case '!=':
        // biome-ignore lint/suspicious/noDoubleEquals: it stands for the one in the source
        return a != b;
      case '!==':
        return a !== b;
      case '<':
        return a < b;
      case '<=':
        return a <= b;
      case '>':
        return a > b;
      case '>=':
        return a >= b;
    }
  }
  const traced = (one: unknown, other: unknown, operator: Operator) => {
    if (one !== other) compared(one, other);
    return compare(one, other, operator);
  };

  Object.assign(globalThis, {
    Fuzzer: {
      coverageTracker: {
        createModuleCounters(size: number) {
          const counters = new Uint8Array(size);
          modules.push({ counters, seen: new Uint8Array(size) });
          all += size;
          return counters;
        },
      },
      tracer: {
        traceStrCmp: traced,
        traceNumberCmp: traced,
        traceAndReturn(current: unknown, target: unknown) {
          if (current !== target) compared(current, target);
          return target;
        },
      },
    },
  });

  return {
    isNew() {
      let isNew = false;
      for (const { counters, seen } of modules) {
        for (let edge = 0; edge < counters.length; edge++) {
          const count = counters[edge] as number;
          if (count === 0) continue;
          const before = seen[edge] as number;
          const bucket = bucketOf[count] as number;
          if ((before & bucket) !== 0) continue;
          if (before === 0) taken += 1;
          seen[edge] = before | bucket;
          isNew = true;
        }
        counters.fill(0);
      }
      return isNew;
    },
    get edges() {
      return { taken, all };
    },
    get words() {
      return [...words];
    },
  };
}
