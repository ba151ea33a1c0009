import type { NoticeChannel } from '../../config/notice-channels.ts';
import type { JobHandler } from '../../jobs/job-queue.ts';
import { hasOnlyPublicAddresses, type ResolveHost, ResolverBusyError } from '../../net/outbound-client.ts';
import { deliverNotices } from '../../notify/deliver.ts';
import { type Notice, NoticeFailedError } from '../../notify/notice.ts';
import { createChannelSender } from '../../notify/open-channel.ts';
import { loadNoticeSecrets } from '../../secrets/notice-secrets.ts';
import { postgresNoticeJobStore } from '../../store/postgres/state/notice-outbox.ts';
import { limitToPerson } from '../../store/postgres/state/person-database.ts';
import { createScheduleJob } from '../../store/postgres/state/schedule-jobs.ts';
import { type NoticeDeps, personNoticeChannels } from '../server-deps.ts';

/** Minimum and maximum retry delay of a notice, in milliseconds. The delay doubles with each attempt. */
const [MIN_RETRY_DELAY_MS, MAX_RETRY_DELAY_MS] = [60_000, 3_600_000];

/**
 * Creates the job that sends one notice. Retries transient failures until the notice expires. After a permanent
 * failure, keeps the notice's row and the dead job for the operator.
 */
export function createNoticeJob(deps: NoticeDeps): JobHandler {
  const { database, jobs, clock } = deps;
  return async ({ ids: { person, notice: id } }, signal) => {
    if (person === undefined || id === undefined) return;
    const outbox = postgresNoticeJobStore<Notice>(limitToPerson(database, person));
    const waiting = await outbox.get(id);
    if (waiting === undefined) return;
    const channel = (await personNoticeChannels(deps, person).all())[waiting.channel];
    if (channel?.enabled !== true) return await outbox.remove(id);
    if (clock.now() >= waiting.until) {
      await outbox.remove(id);
      throw new NoticeFailedError('too_old', 'the notice expired before it could be sent');
    }
    const failure = await sendNotice(deps, person, waiting.channel, channel, waiting.notice, signal);
    if (failure === undefined) return await outbox.remove(id);
    signal.throwIfAborted();
    if (!failure.passing) throw new NoticeFailedError(failure.code, failure.message);
    const pause = Math.min(MIN_RETRY_DELAY_MS * 2 ** waiting.attempts, MAX_RETRY_DELAY_MS);
    await outbox.tried(id, (unit) =>
      jobs.enqueue(unit, createScheduleJob('notice', database.tenant, person, { notice: id }), {
        at: clock.now() + pause,
      }),
    );
  };
}

async function sendNotice(
  { clock, credentials, noticeFetch, noticeResolve }: NoticeDeps,
  person: string,
  name: string,
  channel: NoticeChannel,
  notice: Notice,
  signal: AbortSignal,
) {
  const problem = await findChannelProblem(channel, noticeResolve);
  if (problem !== undefined) return { code: 'refused', ...problem } as const;
  const secret = (await loadNoticeSecrets(credentials(person)))(name, channel);
  const send = createChannelSender(name, channel, secret, {
    fetch: noticeFetch,
    env: {},
    platform: process.platform,
    now: () => clock.now(),
    command: 'trade-agent notices',
    resolveMail: noticeResolve,
  });
  const [delivery] = await deliverNotices(send, [notice], { clock, signal, attemptMs: channel.timeout * 1000 });
  return delivery?.failure;
}

export interface ChannelProblem {
  readonly message: string;
  readonly passing: boolean;
}

/**
 * Returns why a server can't use a channel, or undefined if it can. A server has no desktop and no access to a person's
 * files, and it sends only to public addresses.
 */
export async function findChannelProblem(
  channel: NoticeChannel,
  resolve: ResolveHost,
): Promise<ChannelProblem | undefined> {
  const never = (message: string): ChannelProblem => ({ message, passing: false });
  if (channel.kind === 'desktop') return never('a server can’t show notices on your desktop');
  if (channel.kind !== 'email') return undefined;
  if (channel.ca_file !== undefined) return never('a server can’t read your files (ca_file)');
  try {
    if (await hasOnlyPublicAddresses(channel.host, resolve)) return undefined;
  } catch (error) {
    if (!(error instanceof ResolverBusyError)) throw error;
    return { message: 'the mail server’s name can’t be resolved right now; try again', passing: true };
  }
  return never('the mail server does not have a public address');
}
