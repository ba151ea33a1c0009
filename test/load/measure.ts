// One measurement in a process of its own, for scripts/bench-approvals.mjs: node --expose-gc test/load/measure.ts COUNT
import { disableTracing } from '../../src/agent/no-tracing.ts';
import { manyApprovals } from './many-approvals.ts';

disableTracing();
process.stdout.write(`${JSON.stringify(await manyApprovals(Number(process.argv[2]), Math.random))}\n`);
process.exit(0);
