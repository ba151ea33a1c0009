import type { AnsweredFetchOptions } from './answered-fetch.ts';

export interface SessionOptions extends Omit<AnsweredFetchOptions, 'token'> {
  readonly url: string;
  readonly now: () => number;
}

/** The request's own limit comes first. */
export const patience = ({ timeoutMs }: SessionOptions) => ({
  timeout: 2 * timeoutMs,
  maxTotalTimeout: 2 * timeoutMs,
});
