import type { Hono } from 'hono';
import { noticeSecretSchema, putNoticeChannelSchema } from '../../agent/remote/protocol.ts';
import { formatNoticeDestination, type NoticeChannel, noticeChannelNameSchema } from '../../config/notice-channels.ts';
import type { Authenticator } from '../../gateway/auth/authenticator.ts';
import {
  deleteNoticeSecret,
  loadNoticeSecrets,
  noticeSecretLabel,
  noticeSecretRequirement,
  storeNoticeSecret,
} from '../../secrets/notice-secrets.ts';
import { AgentHttpProblem, HttpProblem } from '../../trading/http-problem.ts';
import { findChannelProblem } from '../jobs/notice-job.ts';
import { type NoticeDeps, personChecks, personNoticeChannels } from '../server-deps.ts';
import { withHttpProblems } from './agent-problem.ts';
import { createReadRoutes, parseJsonBody } from './caller-requests.ts';

const MAX_CHANNELS = 10;

/** Sends a test notice through a channel. @throws {TradeAgentError} `not_found`, `notice_failed` */
export type SendTestNotice = (
  deps: NoticeDeps,
  person: string,
  name: string,
  signal: AbortSignal,
) => Promise<{ readonly id: string; readonly attempts: number }>;

/** Adds the routes for a person's notice channels. Secrets are sealed immediately and never returned. */
export const createNoticeRoutes =
  (deps: NoticeDeps, test: SendTestNotice) =>
  (app: Hono, authenticator: Authenticator): void => {
    const routes = createReadRoutes(app, authenticator);
    const named = async (person: string, name: string): Promise<NoticeChannel> => {
      const channels = await personNoticeChannels(deps, person).all();
      const channel = Object.hasOwn(channels, name) ? channels[name] : undefined;
      if (channel !== undefined) return channel;
      throw new HttpProblem(404, 'not_found', `there is no channel "${name}"`);
    };
    routes.get('/v1/agent/notices', async (c, { sub }) => {
      const secretOf = await withHttpProblems(() => loadNoticeSecrets(deps.credentials(sub)));
      const all = Object.entries(await personNoticeChannels(deps, sub).all());
      const waiting = await personChecks(deps, sub).waitingNotices();
      return c.json({
        channels: all.map(([name, channel]) => ({
          name,
          kind: channel.kind,
          to: formatNoticeDestination(channel),
          enabled: channel.enabled,
          min_severity: channel.min_severity,
          rules: channel.rules ?? null,
          secret:
            secretOf(name, channel) !== undefined
              ? 'kept'
              : noticeSecretRequirement(channel) === 'required'
                ? 'missing'
                : 'not_needed',
          wants: noticeSecretRequirement(channel) === 'none' ? null : noticeSecretLabel(channel),
          waiting: waiting.get(name) ?? 0,
        })),
      });
    });
    routes.post('/v1/agent/notices/:notice', async (c, { sub }) => {
      const name = parseChannelName(c.req.param('notice'));
      const { channel, secret } = await parseJsonBody(c, putNoticeChannelSchema);
      const problem = await findChannelProblem(channel, deps.noticeResolve);
      if (problem?.passing) throw new HttpProblem(503, 'service_busy', problem.message);
      if (problem !== undefined)
        throw usageProblem(problem.message, 'Choose slack, webhook, ntfy, or email through a public server.');
      if (secret !== undefined)
        await withHttpProblems(() => storeNoticeSecret(deps.credentials(sub), name, channel, secret));
      if (!(await personNoticeChannels(deps, sub).put(name, channel, MAX_CHANNELS)))
        throw usageProblem(`you already have ${MAX_CHANNELS} channels, the maximum`, 'Remove one first.');
      return c.body(null, 204);
    });
    routes.post('/v1/agent/notices/:notice/secret', async (c, { sub }) => {
      const name = parseChannelName(c.req.param('notice'));
      const { secret } = await parseJsonBody(c, noticeSecretSchema);
      const channel = await named(sub, name);
      await withHttpProblems(() => storeNoticeSecret(deps.credentials(sub), name, channel, secret));
      return c.body(null, 204);
    });
    routes.post('/v1/agent/notices/:notice/test', async (c, { sub }) => {
      const name = parseChannelName(c.req.param('notice'));
      return c.json(await withHttpProblems(() => test(deps, sub, name, c.req.raw.signal)));
    });
    routes.delete('/v1/agent/notices/:notice', async (c, { sub }) => {
      const name = parseChannelName(c.req.param('notice'));
      await withHttpProblems(() => deleteNoticeSecret(deps.credentials(sub), name));
      if (!(await personNoticeChannels(deps, sub).remove(name)))
        throw new HttpProblem(404, 'not_found', `there is no channel "${name}"`);
      return c.body(null, 204);
    });
  };

const usageProblem = (message: string, hint: string) => new AgentHttpProblem(400, 'usage', message, { hint });

/** Returns the channel name from a path. @throws {AgentHttpProblem} 400 `usage` */
function parseChannelName(text: string | undefined): string {
  const parsed = noticeChannelNameSchema.safeParse(text);
  if (parsed.success) return parsed.data;
  throw usageProblem(
    `${JSON.stringify(text)} is not a valid channel name`,
    'Use up to 32 lowercase letters, digits and "-".',
  );
}
