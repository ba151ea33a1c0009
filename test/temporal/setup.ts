import type { TestProject } from 'vitest/node';
import { temporalBinary } from './temporal-binary.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Undefined where there is none on this machine. */
    temporalBinary: string | undefined;
  }
}

/** Builds Temporal where it is not there yet, before anything counts as late. */
export default async function setup(project: TestProject): Promise<void> {
  const found = await temporalBinary();
  project.provide('temporalBinary', 'binary' in found ? found.binary : undefined);
  if ('binary' in found) return;
  if (process.env.TEMPORAL_TESTS === 'required') throw new Error(found.missing);
  process.stderr.write(`The tests with Temporal are left out: ${found.missing}.\n`);
}
