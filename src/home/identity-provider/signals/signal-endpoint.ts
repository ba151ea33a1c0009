import type { HttpBindings } from '@hono/node-server';
import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { failpoint } from '../../../machine/failpoint.ts';
import { HttpProblem } from '../../../trading/http-problem.ts';
import { BACKCHANNEL_LOGOUT_PATH, SIGNALS_PATH } from '../protocol/protocol.ts';
import { requireReadableForm } from '../protocol/readable-form.ts';
import type { RequestLimits } from '../protocol/request-limits.ts';
import type { CompanyRevocations } from './company-revocations.ts';
import { SignalRejectionError } from './security-events.ts';
import { type Signal, type SignalTokenOptions, verifyLogoutToken, verifySecurityEvent } from './signal-token.ts';

const MAX_TOKEN_BYTES = 32 * 1024;
/** `Retry-After` in seconds if the company's keys can't be fetched. */
const RETRY_AFTER_S = 5;

interface SignalEndpointOptions extends SignalTokenOptions {
  readonly revocations: Pick<CompanyRevocations, 'take'>;
  readonly limits: Pick<RequestLimits, 'addressOf' | 'signals'>;
  /** Called after a signal is stored, to apply the signal to other databases. */
  readonly onTaken: () => void;
  /** Reports rejected and unknown signals with their issuer and the reason. Never includes the token. */
  readonly onError: (message: string) => void;
}

/** Creates the endpoints for signals. They respond after ending access at the provider. `onTaken` ends other access. */
export function createSignalEndpoint(options: SignalEndpointOptions): Hono<{ Bindings: HttpBindings }> {
  const { limits, revocations, onTaken, onError } = options;
  const app = new Hono<{ Bindings: HttpBindings }>();
  app.use(async (context, next) => {
    context.header('cache-control', 'no-store');
    const wait = limits.signals.take(limits.addressOf(context.env.incoming));
    if (wait === undefined) return await next();
    context.header('retry-after', String(wait));
    return context.body(null, 429);
  });

  const take = async (signal: Signal): Promise<void> => {
    const outcome = await revocations.take(signal);
    if (outcome === 'replayed')
      throw new SignalRejectionError('invalid_request', 'another token already used this jti');
    if (outcome === 'known') return;
    failpoint('signal.kept');
    if (signal.about === undefined) onError(`signal from ${signal.company.issuer}: no known event`);
    onTaken();
  };
  const answer = async (
    context: Context,
    read: () => Promise<Signal>,
    refused: (refusal: SignalRejectionError) => Response,
    taken: 200 | 202,
  ): Promise<Response> => {
    try {
      await take(await read());
      return context.body(null, taken);
    } catch (error) {
      if (error instanceof SignalRejectionError) {
        onError(`signal rejected: ${error.fault}: ${error.message}`);
        return refused(error);
      }
      if (!(error instanceof HttpProblem)) throw error;
      context.header('retry-after', String(RETRY_AFTER_S));
      return context.body(null, 503);
    }
  };

  const tooLong = (refused: (context: Context, refusal: SignalRejectionError) => Response) =>
    bodyLimit({
      maxSize: MAX_TOKEN_BYTES,
      onError: (context) => refused(context, new SignalRejectionError('invalid_request', 'the token is too long')),
    });

  /** Returns the error response of RFC 8935 §2.3. */
  const noEvent = (context: Context, { fault, message }: SignalRejectionError) =>
    context.json({ err: fault, description: message }, 400);
  app.post(SIGNALS_PATH, tooLong(noEvent), (context) =>
    answer(
      context,
      async () => {
        const [type] = (context.req.header('content-type') ?? '').split(';', 1);
        if (type?.trim().toLowerCase() !== 'application/secevent+jwt') {
          throw new SignalRejectionError('invalid_request', 'the content type must be application/secevent+jwt');
        }
        return await verifySecurityEvent((await context.req.text()).trim(), options);
      },
      (refusal) => noEvent(context, refusal),
      202,
    ),
  );

  /** Returns the error response of Back-Channel Logout 1.0 §2.8. */
  const noLogout = (context: Context, { message }: SignalRejectionError) =>
    context.json({ error: 'invalid_request', error_description: message }, 400);
  app.post(BACKCHANNEL_LOGOUT_PATH, tooLong(noLogout), requireReadableForm, (context) =>
    answer(
      context,
      async () => {
        const { logout_token: token } = await context.req.parseBody();
        if (typeof token !== 'string') throw new SignalRejectionError('invalid_request', 'logout_token is required');
        return await verifyLogoutToken(token, options);
      },
      (refusal) => noLogout(context, refusal),
      200,
    ),
  );
  return app;
}
