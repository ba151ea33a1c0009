import { ProtocolError, SdkError, SdkErrorCode, SdkHttpError } from '@modelcontextprotocol/client';
import { isAnswerTooLong } from '../../net/bounded-fetch.ts';
import { SignInNeeded } from './authorization.ts';
import { LONGEST_MESSAGE } from './stdio-transport.ts';
import { Flood } from './wire.ts';

/**
 * What went wrong with a server, in our own words alone: whatever it said itself could be meant for a language model.
 * @param seen what its transport reported beside
 */
export function failureWords(error: unknown, seen: Error | undefined): string {
  const tooLong = `it sent more than ${LONGEST_MESSAGE / 2 ** 20} MiB at once`;
  if (isLong(error) || isLong(seen)) return tooLong;
  if (error instanceof Flood) return 'it never stops talking';
  if (error instanceof SdkHttpError) return `it answered with HTTP status ${error.status ?? 'unknown'}`;
  if (error instanceof SdkError) return wordsByCode[error.code] ?? 'it does not keep to the protocol';
  if (error instanceof ProtocolError) return `it answered with error ${error.code}`;
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return 'there is no such program';
  if (code === 'EACCES') return 'the program may not be run';
  if (hasName(error, 'TimeoutError')) return TIMED_OUT;
  if (error instanceof TypeError) return 'it could not be reached';
  return 'it does not keep to the protocol';
}

const TIMED_OUT = 'it did not answer in time';
const wordsByCode: Partial<Record<SdkErrorCode, string>> = {
  [SdkErrorCode.RequestTimeout]: TIMED_OUT,
  [SdkErrorCode.ConnectionClosed]: 'it ended the connection',
  [SdkErrorCode.NotConnected]: 'it ended the connection',
  [SdkErrorCode.SendFailed]: 'it could not be reached',
};

/** Whether the server wants somebody to sign in. */
export function needsSignIn(error: unknown): boolean {
  for (let at = error, depth = 0; at instanceof Error && depth < 8; at = at.cause, depth++) {
    if (at instanceof SignInNeeded || at.name === 'UnauthorizedError') return true;
  }
  return false;
}

/** The transports say so in words of their own. */
function isLong(error: unknown): boolean {
  if (isAnswerTooLong(error)) return true;
  return (
    error instanceof Error && /ReadBuffer exceeded|AnswerTooLong|more than \d+ bytes/.test(error.message)
  );
}

function hasName(error: unknown, name: string): boolean {
  return error instanceof Error && error.name === name;
}
