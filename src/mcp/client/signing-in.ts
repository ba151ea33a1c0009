import { InsufficientScopeError } from '@modelcontextprotocol/client';
import { isTradeAgentError, TradeAgentError } from '../../errors/errors.ts';
import type { Authorization } from './authorization.ts';
import { failureWords, needsSignIn } from './failure.ts';
import type { ServerAccess } from './server-access.ts';
import type { Wire } from './wire.ts';

/** A server that has the person sign in again and again gets no fourth time. */
const MOST_SIGN_INS = 3;

/**
 * Runs what may turn out to need somebody's sign-in, or a wider one: anything that is asked of a server. It is done again
 * once they have signed in.
 * @throws {TradeAgentError} `mcp_server_failed`, `login_required`, what signing in throws; and the signal's reason
 */
export function signingIn(
  { name, openBrowser }: Pick<ServerAccess, 'name' | 'openBrowser'>,
  authorization: Authorization | undefined,
  wire: Wire,
) {
  let signIns = 0;
  return async <T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> => {
    for (;;) {
      let failure: unknown;
      try {
        return await work();
      } catch (error) {
        failure = error;
      }
      if (signal.aborted) throw signal.reason;
      if (!(failure instanceof InsufficientScopeError) && !needsSignIn(failure))
        throw serverFailure(name, failure, wire);
      if (authorization === undefined || openBrowser === undefined) throw signInNeeded(name);
      signIns += 1;
      if (signIns > MOST_SIGN_INS) {
        throw new TradeAgentError(
          'mcp_server_failed',
          `MCP server ${name} asks for a sign-in again and again`,
          {
            hint: 'Tell who runs it.',
          },
        );
      }
      try {
        if (failure instanceof InsufficientScopeError) await authorization.widen(failure);
        await authorization.signIn(openBrowser, signal);
      } catch (error) {
        throw signal.aborted ? signal.reason : serverFailure(name, error, wire);
      }
    }
  };
}

function serverFailure(name: string, error: unknown, { seen }: Wire): TradeAgentError {
  if (isTradeAgentError(error)) return error;
  return new TradeAgentError('mcp_server_failed', `MCP server ${name}: ${failureWords(error, seen)}`, {
    hint: `Look at it with "trade-agent mcp servers test ${name}".`,
    cause: error,
  });
}

function signInNeeded(name: string): TradeAgentError {
  return new TradeAgentError('login_required', `MCP server ${name} wants you to sign in`, {
    hint: `Run "trade-agent mcp servers test ${name}" on a terminal: it opens the page to sign in at.`,
  });
}
