import { shortId } from '../../agent/short-id.ts';
import { TradeAgentError } from '../../errors/errors.ts';
import type { ResolveHost } from '../../net/resolve-host.ts';
import { deliver } from '../../notify/deliver.ts';
import { openChannel } from '../../notify/open-channel.ts';
import { noticeSecrets } from '../../secrets/notice-secrets.ts';
import { defined } from '../../values/defined.ts';
import type { App } from '../app.ts';
import { channelNamed } from './channel-named.ts';
import type { NoticePlace } from './notice-place.ts';

/**
 * Sends a test notice by one channel now.
 * @param resolveMail as {@link ChannelSurroundings} has it
 * @throws {TradeAgentError} `not_found`; `notice_failed` where it could not be sent
 */
export async function testNotice(
  app: Pick<App, 'clock' | 'discreetFetch' | 'env' | 'signal'>,
  place: NoticePlace,
  name: string,
  resolveMail?: ResolveHost,
): Promise<{ readonly id: string; readonly attempts: number }> {
  const { clock, env, signal } = app;
  const channel = await channelNamed(place, name);
  const secret = (await noticeSecrets(await place.store()))(name, channel);
  const now = () => clock.now();
  const send = openChannel(name, channel, secret, {
    fetch: app.discreetFetch,
    env,
    platform: process.platform,
    now,
    command: place.command,
    ...defined({ resolveMail }),
  });
  const notice = {
    id: shortId('nt_test_', 16),
    type: 'test',
    severity: 'info',
    title: 'Test from trade-agent',
    body: await place.testWords(name),
    at: new Date(now()).toISOString(),
    data: await place.testFacts(),
  } as const;
  const [delivery] = await deliver(send, [notice], { clock, signal, attemptMs: channel.timeout * 1000 });
  signal.throwIfAborted();
  if (delivery?.failure !== undefined) {
    throw new TradeAgentError('notice_failed', `${name}: ${delivery.failure.message}`, {
      hint:
        delivery.failure.code === 'not_authorized'
          ? `Give it the right secret: "${place.command} set-secret ${name}".`
          : 'See docs/guide/NOTICES.md for what each kind of channel needs.',
      details: { channel: name, code: delivery.failure.code },
    });
  }
  return { id: notice.id, attempts: delivery?.attempts ?? 0 };
}
