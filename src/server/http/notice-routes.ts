import type { Hono } from 'hono';
import { putNoticeSchema } from '../../agent/remote/protocol.ts';
import { noticeDestination, noticeNameSchema } from '../../config/notice-channels.ts';
import type { Door } from '../../gateway/door/door.ts';
import {
  forgetNoticeSecret,
  noticeSecretNeed,
  noticeSecrets,
  storeNoticeSecret,
} from '../../secrets/notice-secrets.ts';
import { AgentRefusal, Refusal } from '../../trading/refusal.ts';
import { READ_SCOPES } from '../../trading/scopes.ts';
import { channelProblem } from '../jobs/notice-job.ts';
import { channelsOf, type NoticeParts } from '../person-notices.ts';
import { orRefusal } from './agent-refusal.ts';
import { bodyOf } from './person-requests.ts';

const [MARKET_READ] = READ_SCOPES;

/** Channels of one person at most. */
const MOST_CHANNELS = 10;

/** By which channels a person is told of what their schedules find. A secret is sealed at once, and never told again. */
export const noticeRoutes =
  (parts: NoticeParts) =>
  (app: Hono, door: Door): void => {
    app.get(
      '/v1/agent/notices',
      door.guard([MARKET_READ], async (c, { sub }) => {
        const secretOf = await orRefusal(() => noticeSecrets(parts.credentials(sub)));
        const all = Object.entries(await channelsOf(parts, sub).all());
        return c.json({
          channels: all.map(([name, channel]) => ({
            ...{ name, kind: channel.kind, to: noticeDestination(channel), enabled: channel.enabled },
            secret:
              secretOf(name, channel) !== undefined
                ? 'kept'
                : noticeSecretNeed(channel) === 'required'
                  ? 'missing'
                  : 'not_needed',
          })),
        });
      }),
    );
    app.post(
      '/v1/agent/notices/:notice',
      door.guard([MARKET_READ], async (c, { sub }) => {
        const name = nameOf(c.req.param('notice'));
        const { channel, secret } = await bodyOf(c, putNoticeSchema);
        const problem = await channelProblem(channel);
        if (problem !== undefined)
          throw refused(problem, 'Choose slack, webhook, ntfy, or email by a public server.');
        if (secret !== undefined)
          await orRefusal(() => storeNoticeSecret(parts.credentials(sub), name, channel, secret));
        if (!(await channelsOf(parts, sub).put(name, channel, MOST_CHANNELS)))
          throw refused(`there are ${MOST_CHANNELS} channels already`, 'Take one out first.');
        return c.body(null, 204);
      }),
    );
    app.delete(
      '/v1/agent/notices/:notice',
      door.guard([MARKET_READ], async (c, { sub }) => {
        const name = nameOf(c.req.param('notice'));
        await orRefusal(() => forgetNoticeSecret(parts.credentials(sub), name));
        if (!(await channelsOf(parts, sub).remove(name)))
          throw new Refusal(404, 'not_found', `there is no channel "${name}"`);
        return c.body(null, 204);
      }),
    );
  };

const refused = (message: string, hint: string) => new AgentRefusal(400, 'usage', message, { hint });

/** @throws {AgentRefusal} 400 `usage` */
function nameOf(text: string | undefined): string {
  const parsed = noticeNameSchema.safeParse(text);
  if (parsed.success) return parsed.data;
  throw refused(
    `${JSON.stringify(text)} is no channel’s name`,
    'Use small letters, digits and "-", 32 at most.',
  );
}
