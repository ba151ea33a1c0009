import type { RegistrationPlace } from '../registration-place.ts';
import type { TenantDatabase } from './tenant-database.ts';

/** One registration for all gateways of a tenant: a question can be asked about by the client alone that asked it. */
export function postgresRegistrationPlace(database: TenantDatabase): RegistrationPlace {
  return {
    async read() {
      const row = await database.read((unit) =>
        unit.last.one<{ registration: string }>('SELECT registration FROM registered_clients'),
      );
      return row?.registration;
    },
    async write(read, text) {
      const written = await database.write((unit) =>
        read === undefined
          ? unit.run('INSERT INTO registered_clients (registration) VALUES (@text) ON CONFLICT DO NOTHING', {
              text,
            })
          : unit.run('UPDATE registered_clients SET registration = @text WHERE registration = @read', {
              text,
              read,
            }),
      );
      return written === 1;
    },
  };
}
