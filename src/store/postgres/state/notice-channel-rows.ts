import type { NoticeChannelRows } from '../../notice-channel-rows.ts';
import type { PersonDatabase } from './person-database.ts';

export function postgresNoticeChannelRows<Channel>(database: PersonDatabase): NoticeChannelRows<Channel> {
  return {
    async all() {
      const rows = await database.read((unit) =>
        unit.last.all<{ name: string; channel: string }>('SELECT name, channel FROM notice_channels ORDER BY name'),
      );
      return Object.fromEntries(rows.map(({ name, channel }) => [name, JSON.parse(channel) as Channel]));
    },
    async put(name, channel, most) {
      const put = await database.write((unit) =>
        unit.last.run(
          `INSERT INTO notice_channels (name, channel)
           SELECT @name, @channel WHERE (SELECT count(*) FROM notice_channels WHERE name <> @name) < @most
           ON CONFLICT (tenant, person, name) DO UPDATE SET channel = excluded.channel`,
          { name, channel: JSON.stringify(channel), most },
        ),
      );
      return put === 1;
    },
    async remove(name) {
      const removed = await database.write((unit) =>
        unit.last.run('DELETE FROM notice_channels WHERE name = @name', { name }),
      );
      return removed === 1;
    },
  };
}
