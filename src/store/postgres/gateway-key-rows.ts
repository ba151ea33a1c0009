import type { GatewayKeyRows, WrappedGatewayKey } from '../gateway-key-rows.ts';
import { ensureHead, holdSeal } from './head.ts';
import type { TenantDatabase, Unit } from './tenant-database.ts';

/** Undoes the unit of work. */
class Stale extends Error {}

/** @param database of `gatewaySchema` */
export function postgresGatewayKeyRows(database: TenantDatabase): GatewayKeyRows {
  const whole = async (work: (unit: Unit) => Promise<void>): Promise<boolean> => {
    try {
      await database.write(work);
      return true;
    } catch (error) {
      if (error instanceof Stale) return false;
      throw error;
    }
  };
  return {
    all: () =>
      database.read((unit) =>
        unit.last.all<WrappedGatewayKey>(
          'SELECT name, version, wrapped FROM gateway_keys ORDER BY name, version DESC',
        ),
      ),
    replace: (removed, added) =>
      whole(async (unit) => {
        for (const row of removed) await remove(unit, row);
        for (const row of added) await add(unit, row);
      }),
    async addFirstSeal(seal, check) {
      await ensureHead(database);
      return await whole(async (unit) => {
        if (!(await holdSeal(unit, check))) throw new Stale();
        await add(unit, seal);
      });
    },
  };
}

async function add(unit: Unit, { name, version, wrapped }: WrappedGatewayKey): Promise<void> {
  const added = await unit.run(
    'INSERT INTO gateway_keys (name, version, wrapped) VALUES (@name, @version, @wrapped) ON CONFLICT DO NOTHING',
    { name, version, wrapped },
  );
  if (added !== 1) throw new Stale();
}

async function remove(unit: Unit, { name, version, wrapped }: WrappedGatewayKey): Promise<void> {
  const removed = await unit.run(
    'DELETE FROM gateway_keys WHERE name = @name AND version = @version AND wrapped = @wrapped',
    { name, version, wrapped },
  );
  if (removed !== 1) throw new Stale();
}
