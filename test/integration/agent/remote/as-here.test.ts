import { reachAgentsBy } from '../world.ts';
import { remoteWorld } from './remote-world.ts';

// The agent's own tests once more, each agent behind a server: who asks there is told the same.
reachAgentsBy(async (local) => (await remoteWorld(local)).agent);

await import('../run.test.ts');
await import('../reconcile.test.ts');
