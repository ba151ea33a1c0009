// How one process bears many pending approvals: 100, 1,000 and 10,000, each in a process of its own.
//   node scripts/bench-approvals.mjs [COUNT…]
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const measure = join(dirname(fileURLToPath(import.meta.url)), '..', 'test', 'load', 'measure.ts');

export function benchApprovals(counts) {
  console.log(
    'Approvals pending in one process, each in a thread of its own; agent, gateway and broker together',
  );
  console.log('   count   propose/each   memory/each   waiting costs   tap to result/each   orders');
  for (const count of counts) {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ['--expose-gc', '--no-warnings', measure, String(count)],
      { encoding: 'utf8' },
    );
    if (status !== 0) throw new Error(`${count} approvals: ${stderr}`);
    const load = JSON.parse(stdout);
    if (load.done !== count || load.orders !== count || load.distinctOrders !== count) {
      throw new Error(`${count} approvals ended with ${load.orders} orders and ${load.done} results`);
    }
    const columns = [
      String(count).padStart(8),
      `${(load.proposeMs / count).toFixed(1)} ms`.padStart(14),
      `${(load.pendingBytes / count / 1024).toFixed(0)} KiB`.padStart(13),
      `${(load.idleLoad * 100).toFixed(1)} % CPU`.padStart(15),
      `${(load.settleMs / count).toFixed(1)} ms`.padStart(20),
      String(load.orders).padStart(8),
    ];
    console.log(columns.join(' '));
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const counts = process.argv.slice(2).map(Number);
  benchApprovals(counts.length > 0 ? counts : [100, 1_000, 10_000]);
}
