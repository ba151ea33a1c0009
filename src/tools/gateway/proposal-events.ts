import { TradeAgentError } from '../../trading/errors.ts';
import { READ_SCOPES } from '../../trading/scopes.ts';
import type { GatewayAccess } from './gateway-requests.ts';

const [, , ORDERS_READ] = READ_SCOPES;

/**
 * Yields each time that a proposal of the person's, or its order, has changed (`GET /v1/events`). Ends with the signal, and when
 * the gateway ends the stream: no longer than the token holds that opened it.
 * @throws {TradeAgentError} `gateway_unreachable`, and what the session throws
 */
export async function* proposalEvents(
  session: GatewayAccess,
  signal: AbortSignal,
): AsyncGenerator<'changed'> {
  const base = session.profile.gateway.replace(/\/+$/, '');
  const answer = await session.fetch(
    `${base}/v1/events`,
    { headers: { accept: 'text/event-stream' }, signal },
    [ORDERS_READ],
  );
  if (!answer.ok || answer.body === null) {
    await answer.body?.cancel();
    throw new TradeAgentError('gateway_unreachable', 'the gateway does not tell what changes', {
      hint: 'It is asked again.',
    });
  }
  let line = '';
  for await (const text of answer.body.pipeThrough(new TextDecoderStream())) {
    const lines = (line + text).split('\n');
    line = lines.pop() ?? '';
    // One for all that came together: whoever hears it reads anew.
    if (lines.some((one) => one.startsWith('event:'))) yield 'changed';
  }
}
