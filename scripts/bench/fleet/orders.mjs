// Measures orders per second of processor time with 1, 2 and 4 gateways on one database. Compares the full checks (verify
// token and proof, use up the approval, write the intent and the result) with verification alone.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { startDatabase } from './cluster.mjs';

const ORDERS = Number(process.env.FLEET_ORDERS ?? 2_000);
const GATEWAYS = (process.env.FLEET_GATEWAYS ?? '1,2,4').split(',').map(Number);

export async function benchOrders() {
  console.log(
    `Orders at the fence, ${ORDERS} each time; processor milliseconds an order, its gateway's and PostgreSQL's`,
  );
  console.log('  gateways   verify alone   gateway   PostgreSQL   orders/s of one processor   of the verify bound');
  for (const gateways of GATEWAYS) {
    const database = await startDatabase();
    try {
      const each = Math.ceil(ORDERS / gateways);
      const children = await Promise.all(
        Array.from({ length: gateways }, async () => {
          const child = fork(join(import.meta.dirname, 'order-process.mjs'), [database.address, String(each)], {
            execArgv: ['--no-warnings'],
          });
          await once(child, 'message');
          return child;
        }),
      );
      const asked = async (what) => {
        const answers = children.map(async (child) => {
          child.send(what);
          const [figures] = await once(child, 'message');
          return figures;
        });
        const all = await Promise.all(answers);
        return all.reduce((sum, { processor }) => sum + processor, 0) / gateways;
      };
      const verify = await asked('verify');
      // Autovacuum does this within a minute. Plans made for empty tables would keep using the wrong index.
      await database.query('ANALYZE');
      const before = database.processor();
      const claim = await asked('claim');
      const server = ((database.processor() - before) * 1000) / (each * gateways);
      const columns = [
        String(gateways).padStart(10),
        verify.toFixed(2).padStart(14),
        claim.toFixed(2).padStart(9),
        server.toFixed(2).padStart(12),
        (1000 / claim).toFixed(0).padStart(27),
        `${((verify / claim) * 100).toFixed(0)} %`.padStart(21),
      ];
      console.log(columns.join(' '));
    } finally {
      await database.close();
    }
  }
  console.log('  aim: at least 55 % of the bound');
}
