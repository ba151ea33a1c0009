// Makes changes of one tenant with its gateway's stores, and prints how many a second. Forked by record.mjs, also with the
// stores of another checkout.
import { pathToFileURL } from 'node:url';

const [root, address, count, lanes] = process.argv.slice(2);
const load = async (file) => await import(pathToFileURL(`${root}/${file}`).href);
const { openPostgresGatewayDatabase, postgresGatewayStores } = await load('src/store/postgres/gateway-database.ts');

const database = await openPostgresGatewayDatabase({ address, tenant: 'bench', max: Number(lanes) });
const stores = await postgresGatewayStores(database);
const signer = { sign: ({ size, root: hash }) => `${size} ${hash.toString('hex')}`, hasSigned: () => true };
// As the gateway does, which collects lines for a second.
const sequencing = setInterval(() => void stores.audit.sequence?.(signer, false).catch(() => undefined), 1_000);

async function changes(prefix, total) {
  let next = 0;
  const from = performance.now();
  const lane = async () => {
    while (next < total) await stores.halts.halt(`${prefix}-${next++}`, 'cli', Date.now());
  };
  await Promise.all(Array.from({ length: Number(lanes) }, lane));
  return (total / (performance.now() - from)) * 1_000;
}

let round = 0;
process.on('message', async (what) => {
  if (what === 'measure') return process.send(await changes(`round-${round++}`, Number(count)));
  clearInterval(sequencing);
  await database.close();
  process.exit(0);
});
await changes('warm-up', 200);
process.send('ready');
