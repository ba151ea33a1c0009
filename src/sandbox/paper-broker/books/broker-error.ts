import type { z } from 'zod';
/**
 * An error in Alpaca's format: an HTTP status and `{code, message}`, sometimes with details. Codes: 40010001 invalid
 * parameter, 40110000 not authorized, 40310000 not permitted (buying power, quantity held, wash trade), 40410000 not
 * found, 42210000 unprocessable, 42910000 too many requests.
 */
export class BrokerError extends Error {
  override name = 'BrokerError';
  readonly status: 400 | 401 | 403 | 404 | 422 | 429;
  readonly code: number;
  readonly facts: Readonly<Record<string, unknown>>;

  constructor(status: BrokerError['status'], code: number, message: string, facts: Record<string, unknown> = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.facts = facts;
  }
}

export const badParameterError = (message: string) => new BrokerError(422, 40010001, message);
export const unprocessableError = (message: string) => new BrokerError(422, 42210000, message);
export const notPermittedError = (message: string, facts?: Record<string, unknown>) =>
  new BrokerError(403, 40310000, message, facts);
export const notFoundError = (message: string) => new BrokerError(404, 40410000, message);

export class MarketDataError extends Error {
  override name = 'DataError';
  readonly status: 400 | 404;
  constructor(status: MarketDataError['status'], message: string) {
    super(message);
    this.status = status;
  }
}

/** Validates a value against a schema. @throws {BrokerError} 422 that names the first invalid field */
export function parseBody<Schema extends z.ZodType>(schema: Schema, given: unknown): z.output<Schema> {
  const read = schema.safeParse(given);
  if (read.success) return read.data;
  throw badParameterError(`invalid ${String(read.error.issues[0]?.path[0] ?? 'request body')}`);
}

export function parseTime(text: string | undefined, name: string): number | undefined {
  if (text === undefined) return undefined;
  const at = Date.parse(text);
  if (Number.isNaN(at)) throw badParameterError(`invalid ${name}`);
  return at;
}
