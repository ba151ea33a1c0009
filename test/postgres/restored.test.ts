import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, inject, it, vi } from 'vitest';
import { verifyAuditStores } from '../../src/approval/audit-verification.ts';
import { createCheckpointReader } from '../../src/approval/checkpoints/checkpoint-reader.ts';
import { type Checkpoint, createTreeSigner, parseCheckpoint } from '../../src/approval/receipts/checkpoint.ts';
import { deriveReceiptKey } from '../../src/approval/receipts/receipt-key.ts';
import type { GatewayStores } from '../../src/store/gateway-stores.ts';
import { openPostgresGatewayDatabase, postgresGatewayStores } from '../../src/store/postgres/gateway-database.ts';
import { migrateSchema } from '../../src/store/postgres/migrate.ts';
import { gatewaySchema } from '../../src/store/postgres/migrations/gateway.ts';
import { appRole } from '../../src/store/postgres/schema.ts';
import { type Cluster, postgresPrograms, SUPERUSER, startCluster } from './support/cluster.ts';
import { runSql } from './support/database.ts';
import { drafted } from './support/filled-stores.ts';

const run = promisify(execFile);
const programs = inject('postgresHost') === undefined ? undefined : (postgresPrograms() ?? '');

let folder: string;
const clusters: Cluster[] = [];
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'trade-agent-restored-'));
  // The server writes there as a user of its own.
  chmodSync(folder, 0o777);
});
afterAll(async () => {
  await Promise.all(clusters.map((cluster) => cluster.remove()));
  rmSync(folder, { recursive: true });
});

async function started(options: Parameters<typeof startCluster>[1]): Promise<Cluster> {
  const cluster = await startCluster(programs ?? '', options);
  clusters.push(cluster);
  return cluster;
}

async function withStores<T>(cluster: Cluster, work: (stores: GatewayStores) => Promise<T>): Promise<T> {
  const database = await openPostgresGatewayDatabase({
    address: cluster.address('gateways', 'postgres'),
    tenant: 'one',
  });
  try {
    return await work(await postgresGatewayStores(database));
  } finally {
    await database.close();
  }
}

/** As docs/operate/OPERATIONS.md has it, by PostgreSQL's own programs. */
it.runIf(programs !== undefined)(
  'a database put back to a moment has what was committed until then, and its record is whole; a checkpoint of after it is told',
  async () => {
    const archive = `/bin/cp %p ${folder}/%f`;
    const before = await started({ settings: { archive_mode: 'on', archive_command: archive } });
    const owner = before.address(SUPERUSER, 'postgres');
    await migrateSchema(owner, gatewaySchema);
    await runSql(owner, `CREATE ROLE gateways LOGIN IN ROLE ${appRole(gatewaySchema.name)}`);
    const key = await deriveReceiptKey('seal');
    const signer = createTreeSigner(key, 'https://gateway.example');
    const sequence = ({ audit }: GatewayStores) => audit.sequence(signer, true);
    let kept: Checkpoint | undefined;
    const now = Date.now();
    await withStores(before, ({ proposals, ...stores }) => drafted({ proposals, ...stores }, 'pr_backed-up', now));

    const restored = await started({
      settings: { restore_command: `/bin/cp ${folder}/%f %p` },
      fill: async (data, runAs) => {
        const from = ['--host', before.host, '--username', SUPERUSER, '--checkpoint=fast', '--wal-method=none'];
        await run(join(programs ?? '', 'pg_basebackup'), [...from, '--pgdata', data], runAs);
        await withStores(before, (stores) => drafted(stores, 'pr_archived', now));
        const [moment] = await runSql(owner, 'SELECT clock_timestamp()::text AS now');
        await withStores(before, async (stores) => {
          await drafted(stores, 'pr_after', now);
          await sequence(stores);
          kept = parseCheckpoint((await stores.audit.tree()).checkpoint ?? '');
        });
        // It archives what there is before it ends.
        await before.stop('fast');
        const target = `recovery_target_time = '${moment?.rows[0].now}'\nrecovery_target_action = 'promote'\n`;
        writeFileSync(join(data, 'postgresql.auto.conf'), target, { flag: 'a' });
        writeFileSync(join(data, 'recovery.signal'), '');
      },
    });
    await vi.waitFor(async () => {
      const [recovery] = await runSql(restored.address(SUPERUSER, 'postgres'), 'SELECT pg_is_in_recovery() AS still');
      expect(recovery?.rows[0].still).toBe(false);
    }, 20_000);
    await withStores(restored, async ({ proposals, ...stores }) => {
      const all = await proposals.list({ state: 'all' });
      expect(all.map(({ id }) => id).toSorted()).toEqual(['pr_archived', 'pr_backed-up']);
      await sequence({ proposals, ...stores });
      const reader = createCheckpointReader({ keys: [key.jwk], kept });
      expect(await verifyAuditStores(stores, reader)).toEqual({ ok: true, lines: 2, pending: 0 });
      // Somebody kept a checkpoint of more than the database knows of.
      expect(reader.hasKept()).toBe(false);
    });
  },
  60_000,
);
