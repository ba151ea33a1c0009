import type { CalendarRows } from '../../schedule-rows.ts';
import type { TenantDatabase } from '../tenant-database.ts';

export function postgresCalendarRows<Calendar>(
  database: Pick<TenantDatabase, 'read' | 'write'>,
): CalendarRows<Calendar> {
  return {
    async get() {
      const row = await database.read((unit) => unit.last.one<{ calendar: string }>('SELECT calendar FROM calendars'));
      return row === undefined ? undefined : (JSON.parse(row.calendar) as Calendar);
    },
    async put(calendar) {
      await database.write((unit) =>
        unit.last.run(
          `INSERT INTO calendars (calendar) VALUES (@calendar)
           ON CONFLICT (tenant) DO UPDATE SET calendar = excluded.calendar`,
          { calendar: JSON.stringify(calendar) },
        ),
      );
    },
  };
}
