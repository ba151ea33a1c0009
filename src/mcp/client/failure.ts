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

/** Whether the server wants somebody to sign in. */
export function needsSignIn(error: unknown): boolean {
  return causesOf(error).some((cause) => cause instanceof SignInNeeded || cause.name === 'UnauthorizedError');
}

/** An error and what brought it on. */
function causesOf(error: unknown): Error[] {
  const causes: Error[] = [];
  for (let at = error; at instanceof Error && causes.length < 8; at = at.cause) causes.push(at);
  return causes;
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
