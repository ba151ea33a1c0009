import type { TestProject } from 'vitest/node';
import { postgresPrograms, startCluster } from './cluster.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** The socket's folder of the server that all files share; undefined where there is no PostgreSQL on this machine. */
    postgresHost: string | undefined;
  }
}

/** One server for all test files. `POSTGRES_TESTS=required` fails where there is no PostgreSQL, instead of leaving them out. */
export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const programs = postgresPrograms();
  project.provide('postgresHost', undefined);
  if (programs === undefined) {
    const reason = 'there is no PostgreSQL on this machine (Debian: apt-get install postgresql)';
    if (process.env.POSTGRES_TESTS === 'required') throw new Error(reason);
    process.stderr.write(`The tests of the stores on PostgreSQL are left out: ${reason}.\n`);
    return undefined;
  }
  const cluster = await startCluster(programs);
  project.provide('postgresHost', cluster.host);
  return () => cluster.remove();
}
