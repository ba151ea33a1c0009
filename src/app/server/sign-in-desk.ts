import { createHash } from 'node:crypto';
import type { NoticesConfig } from '../../config/notice-channels.ts';
import type { TradeAgentError } from '../../errors/errors.ts';
import type { Notice } from '../../notify/notice.ts';
import { checksOf } from '../../server/person-notices.ts';
import type { ServerParts } from '../../server/server-parts.ts';
import { NOTICE_LIFE_MS } from '../check/tell.ts';

/** Tells a person once that nothing of theirs is checked because they are signed in no longer, and anew when it is so again. */
export interface SignInDesk {
  signedIn(): Promise<void>;
  tell(channels: NoticesConfig, error: TradeAgentError): Promise<void>;
}

/** Of no account, so that no check's memory has it. */
const NO_ACCOUNT = '';
const FIRING = { rule: 'sign-in', subject: '', definition: 'login_required' } as const;

export function signInDesk(
  parts: Pick<ServerParts, 'database' | 'jobs' | 'clock'>,
  person: string,
): SignInDesk {
  const memory = checksOf(parts, person).account({ profile: person, account: NO_ACCOUNT });
  return {
    // Nothing stands: so it may be told again.
    signedIn: () => memory.remember([], undefined),
    async tell(channels, error) {
      const now = parts.clock.now();
      const state = { ...FIRING, since: now };
      const untold = await memory.notices.untold();
      await memory.notices.put(
        Object.entries(channels)
          .filter(([name, { enabled }]) => enabled && untold(name, [state]).length > 0)
          .map(([channel]) => ({
            channel,
            notice: noticeOf(person, channel, error, now),
            firings: [state],
            until: now + NOTICE_LIFE_MS,
          })),
      );
    },
  };
}

function noticeOf(
  person: string,
  channel: string,
  { code, message, hint }: TradeAgentError,
  now: number,
): Notice {
  const digest = createHash('sha256')
    .update(JSON.stringify([person, channel, code, now]))
    .digest('base64url');
  return {
    id: `nt_${digest.slice(0, 24)}`,
    type: 'finding',
    severity: 'critical',
    title: 'Sign in again: your schedules are not run',
    body: [`The server could not act for you: ${message}.`, ...(hint === undefined ? [] : [hint])].join('\n'),
    at: new Date(now).toISOString(),
    data: { code },
  };
}
