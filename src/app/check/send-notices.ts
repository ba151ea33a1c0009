import type { NoticeReport } from '../../check/result-schema.ts';
import type { NoticeChannel, NoticesConfig } from '../../config/notice-channels.ts';
import { deliver } from '../../notify/deliver.ts';
import { type Notice, NoticeFailure } from '../../notify/notice.ts';
import { openChannel } from '../../notify/open-channel.ts';
import { noticeSecrets } from '../../secrets/notice-secrets.ts';
import type { NoticeOutbox, WaitingNotice } from '../../store/check-store.ts';
import type { App } from '../app.ts';

/** All notices of a check together: cron's next check must not wait for a mail server. */
const ALL_MS = 30_000;

/**
 * Sends what waits, each channel at its own pace, and says what became of each. What can't be sent stays for the next
 * check until its time is over.
 * @param now milliseconds since the epoch, by the clock the notices' times are of
 */
export async function sendNotices(
  app: App,
  channels: NoticesConfig,
  outbox: NoticeOutbox<Notice>,
  now: number,
): Promise<NoticeReport[]> {
  const waiting = await outbox.waiting();
  if (waiting.length === 0) return [];
  const secrets = await noticeSecrets(await app.store());
  const all = new AbortController();
  const done = new AbortController();
  const stop = () => all.abort(app.signal.reason);
  if (app.signal.aborted) stop();
  else app.signal.addEventListener('abort', stop, { once: true });
  app.clock.sleep(ALL_MS, done.signal).then(
    () => all.abort(new NoticeFailure('timeout', `the ${ALL_MS / 1000} s for all notices were over`)),
    () => undefined,
  );
  try {
    const names = [...new Set(waiting.map(({ channel }) => channel))];
    const reports = await Promise.all(
      names.map(async (name) => {
        const channel = Object.hasOwn(channels, name) ? channels[name] : undefined;
        const mine = waiting.filter((one) => one.channel === name);
        const { sendable, reports } = sorted(mine, channel, now);
        for (const { id } of reports) await outbox.remove(id);
        if (channel === undefined) return reports;
        const secret = secrets(name, channel);
        const send = openChannel(name, channel, secret, {
          fetch: app.discreetFetch,
          env: app.env,
          platform: process.platform,
          now: () => app.clock.now(),
          command: 'trade-agent notices',
        });
        const deliveries = await deliver(
          async (notice, signal) => {
            await send(notice, signal);
            // At once: what the next one's failure, or a crash, finds must be true.
            await outbox.remove(notice.id);
          },
          sendable,
          { clock: app.clock, signal: all.signal, attemptMs: channel.timeout * 1000 },
        );
        for (const { notice, attempts, failure } of deliveries) {
          if (failure !== undefined) await outbox.tried(notice.id, attempts);
          reports.push(
            report(name, notice, attempts, failure === undefined ? 'delivered' : 'waiting', failure),
          );
        }
        return reports;
      }),
    );
    return reports.flat();
  } finally {
    done.abort();
    app.signal.removeEventListener('abort', stop);
  }
}

/** Apart from what may be sent: what is too old, and what nobody is there to get. */
function sorted(waiting: readonly WaitingNotice<Notice>[], channel: NoticeChannel | undefined, now: number) {
  const sendable: Notice[] = [];
  const reports: NoticeReport[] = [];
  for (const { channel: name, notice, until } of waiting) {
    if (channel?.enabled !== true) {
      const message = `config.yaml has no channel "${name}" in use any more`;
      reports.push(report(name, notice, 0, 'given_up', { code: 'no_channel', message }));
    } else if (now >= until) {
      const message = 'it could not be sent in time';
      reports.push(report(name, notice, 0, 'given_up', { code: 'too_old', message }));
    } else sendable.push(notice);
  }
  return { sendable, reports };
}

function report(
  channel: string,
  { id, title }: Notice,
  attempts: number,
  status: NoticeReport['status'],
  error: NoticeReport['error'],
): NoticeReport {
  return {
    id,
    channel,
    title,
    status,
    attempts,
    ...(error === undefined ? {} : { error: { code: error.code, message: error.message } }),
  };
}
