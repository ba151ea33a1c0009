import type { ServerResponse } from 'node:http';

/** A policy for what is no page: nothing of it may run, be loaded or be framed, whatever a browser takes it for (CSP 3). */
export const NO_PAGE = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'";

/**
 * What each answer of each server of ours has, whoever makes it: JSON, a refusal, what comes before anything is served. A page
 * says more of itself, and that takes its place.
 */
export function answerHeaders(response: Pick<ServerResponse, 'setHeader'>): void {
  response.setHeader('content-security-policy', NO_PAGE);
  response.setHeader('referrer-policy', 'no-referrer');
  response.setHeader('x-content-type-options', 'nosniff');
}
