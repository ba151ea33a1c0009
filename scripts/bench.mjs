// Prints the figures of docs/develop/BENCHMARKS.md as ratios, all measured in this run. Needs a build.
//   npm run bench                       all parts
//   npm run bench -- startup chat       some parts; or set BENCH=startup,chat

import { benchChatLines } from './bench/chat-lines.mjs';
import { benchClaims } from './bench/claims.mjs';
import { benchHistory } from './bench/history.mjs';
import { benchHome } from './bench/home.mjs';
import { benchLedger } from './bench/ledger.mjs';
import { benchModelRequests } from './bench/model-requests.mjs';
import { benchPolicy } from './bench/policy.mjs';
import { benchProposals } from './bench/proposals.mjs';
import { benchStartUp } from './bench/start-up.mjs';
import { benchCheck } from './bench-check.mjs';

const parts = {
  startup: benchStartUp,
  chat: benchChatLines,
  check: async () => {
    for (const line of await benchCheck()) console.log(line);
  },
  history: benchHistory,
  ledger: benchLedger,
  models: benchModelRequests,
  policy: benchPolicy,
  claims: benchClaims,
  home: benchHome,
  proposals: () => benchProposals((process.env.BENCH_PROPOSALS ?? '1,1000,10000').split(',').map(Number)),
};

const named = process.argv.length > 2 ? process.argv.slice(2) : (process.env.BENCH ?? '').split(',');
const chosen = named.filter((name) => name !== '');
const unknown = chosen.filter((name) => !Object.hasOwn(parts, name));
if (unknown.length > 0) {
  console.error(`Unknown part: ${unknown.join(', ')}. Choose from ${Object.keys(parts).join(', ')}.`);
  process.exit(2);
}

let failed = false;
for (const [name, run] of Object.entries(parts)) {
  if (chosen.length > 0 && !chosen.includes(name)) continue;
  try {
    await run();
  } catch (error) {
    // Continue with the other parts.
    console.error(`${name}: ${error.stack ?? error}`);
    failed = true;
  }
}
process.exitCode = failed ? 1 : 0;
