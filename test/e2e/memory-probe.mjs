// Preloaded (NODE_OPTIONS=--import) into a process of a test's world: on SIGUSR2 it collects garbage, and writes what is in
// use after that, in bytes, into the folder named in MEMORY_PROBE.
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { getHeapSpaceStatistics, setFlagsFromString, writeHeapSnapshot } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');
const folder = process.env.MEMORY_PROBE;

process.on('SIGUSR2', async () => {
  // What a finalizer or a weak reference lets go of is free only at the next one.
  for (let times = 0; times < 3; times++) {
    collect();
    await new Promise((resolve) => setImmediate(resolve));
  }
  // Compiled code is not the work's: V8 goes on compiling for hours what it sees often enough.
  const code = getHeapSpaceStatistics()
    .filter(({ space_name }) => /^(code|trusted)_/.test(space_name))
    .reduce((sum, { space_used_size }) => sum + space_used_size, 0);
  const { heapUsed, external, rss } = process.memoryUsage();
  const file = join(folder, `${process.pid}.json`);
  writeFileSync(`${file}.new`, JSON.stringify({ heap: heapUsed - code + external, resident: rss }));
  renameSync(`${file}.new`, file);
  if (process.env.MEMORY_SNAPSHOTS !== undefined) {
    writeHeapSnapshot(join(process.env.MEMORY_SNAPSHOTS, `${process.pid}-${Date.now()}.heapsnapshot`));
  }
});
