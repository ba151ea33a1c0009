import { channelProblem } from '../../server/jobs/notice-job.ts';
import { channelsOf, type NoticeParts } from '../../server/person-notices.ts';
import { TradeAgentError } from '../../trading/errors.ts';
import { channelNamed } from '../notices/channel-named.ts';
import type { NoticePlace } from '../notices/notice-place.ts';
import { testNotice } from '../notices/test-notice.ts';

/**
 * Sends a person a test by one of the channels that the server keeps for them.
 * @throws {TradeAgentError} `not_found`; `notice_failed` where it could not be sent
 */
export async function testPersonNotice(
  parts: NoticeParts,
  person: string,
  name: string,
  signal: AbortSignal,
): Promise<{ readonly id: string; readonly attempts: number }> {
  const place: NoticePlace = {
    channels: () => channelsOf(parts, person).all(),
    store: async () => parts.credentials(person),
    add: 'Add one with "trade-agent notices add NAME KIND".',
    command: 'trade-agent notices',
    testWords: async (channel) =>
      `This is how "${channel}" tells you of what your schedules at the server find. Nothing happened.`,
    testFacts: async () => ({}),
  };
  // A name may lead elsewhere today than when it was given.
  const problem = await channelProblem(await channelNamed(place, name), parts.noticeResolve);
  if (problem !== undefined) throw new TradeAgentError('notice_failed', `${name}: ${problem.message}`);
  return await testNotice(
    { clock: parts.clock, discreetFetch: parts.noticeFetch, env: {}, signal },
    place,
    name,
    parts.noticeResolve,
  );
}
