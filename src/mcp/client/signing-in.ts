import {
  InsufficientScopeError,
  ProtocolError,
  SdkError,
  SdkErrorCode,
  SdkHttpError,
} from '@modelcontextprotocol/client';
import { isTradeAgentError, TradeAgentError } from '../../errors/errors.ts';
import { isAnswerTooLong } from '../../net/bounded-fetch.ts';
import { type Authorization, SignInNeeded } from './authorization.ts';
import type { ServerAccess } from './server-access.ts';
import { LONGEST_MESSAGE } from './stdio-transport.ts';
import { Flood, type Wire } from './wire.ts';

const MOST_SIGN_INS = 3;

/**
 * Runs a request to a server; if it needs a sign-in or more scopes, runs it again after the sign-in.
 * @throws {TradeAgentError} `mcp_server_failed`, `login_required`; what signing in throws; the signal's reason
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

/**
 * In our own words only: the server's could be meant for a language model.
 * @param seen what its transport reported
 */
function failureWords(error: unknown, seen: Error | undefined): string {
  const tooLong = `it sent more than ${LONGEST_MESSAGE / 2 ** 20} MiB at once`;
  if (isLong(error) || isLong(seen)) return tooLong;
  if (error instanceof Flood) return 'it never stops talking';
  if (causesOf(error).some((cause) => cause instanceof TypeError)) return UNREACHABLE;
  if (error instanceof SdkHttpError) return `it answered with HTTP status ${error.status ?? 'unknown'}`;
  if (error instanceof SdkError) return wordsByCode[error.code] ?? 'it does not keep to the protocol';
  if (error instanceof ProtocolError) return `it answered with error ${error.code}`;
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return 'there is no such program';
  if (code === 'EACCES') return 'the program may not be run';
  if (hasName(error, 'TimeoutError')) return TIMED_OUT;
  return 'it does not keep to the protocol';
}

const UNREACHABLE = 'it could not be reached';
const TIMED_OUT = 'it did not answer in time';
const wordsByCode: Partial<Record<SdkErrorCode, string>> = {
  [SdkErrorCode.RequestTimeout]: TIMED_OUT,
  [SdkErrorCode.ConnectionClosed]: 'it ended the connection',
  [SdkErrorCode.NotConnected]: 'it ended the connection',
  [SdkErrorCode.SendFailed]: UNREACHABLE,
};

function needsSignIn(error: unknown): boolean {
  return causesOf(error).some((cause) => cause instanceof SignInNeeded || cause.name === 'UnauthorizedError');
}

function causesOf(error: unknown): Error[] {
  const causes: Error[] = [];
  for (let at = error; at instanceof Error && causes.length < 8; at = at.cause) causes.push(at);
  return causes;
}

function isLong(error: unknown): boolean {
  if (isAnswerTooLong(error)) return true;
  return (
    error instanceof Error && /ReadBuffer exceeded|AnswerTooLong|more than \d+ bytes/.test(error.message)
  );
}

function hasName(error: unknown, name: string): boolean {
  return error instanceof Error && error.name === name;
}
