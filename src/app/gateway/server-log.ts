import { randomUUID } from 'node:crypto';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { RequestLogEntry } from '../../gateway/auth/authenticator.ts';
import { type Clock, formatUtcSeconds } from '../../machine/clock.ts';
import { currentLogContext, runInLogContext } from '../../machine/log-context.ts';
import { parseTraceparent } from '../../net/trace-context.ts';
import { maskAccounts, redactSecrets } from '../../text/redact.ts';
import { safeJson } from '../../text/safe-json.ts';
import { safeLine } from '../../text/sanitize.ts';
import { defined } from '../../values/defined.ts';

export interface ServerLogOptions {
  readonly process: string;
  /** `text` is for people. `json` writes one object per line, including events that `text` omits. */
  readonly format: 'text' | 'json';
  readonly write: (line: string) => void;
  readonly clock: Pick<Clock, 'now'>;
  readonly tenant?: string | undefined;
}

/** A logged request. Requests that matched no route of a gateway or server have only the required fields. */
export type LoggedRequest = Pick<RequestLogEntry, 'at' | 'method' | 'path' | 'status' | 'duration_ms'> &
  Partial<RequestLogEntry>;

/** The log of a server process. Its JSON never contains a token, key or account number. */
export class ServerLog {
  readonly isJson: boolean;
  readonly #options: ServerLogOptions;

  constructor(options: ServerLogOptions) {
    this.isJson = options.format === 'json';
    this.#options = options;
  }

  /** Logs a line for the person who runs the process. */
  readonly tell = (line: string): void => {
    const [, warning] = /^warning: (.*)$/s.exec(line) ?? [];
    if (!this.isJson) this.#options.write(line);
    else this.#write(warning === undefined ? 'info' : 'warn', warning ?? line);
  };

  readonly error = (message: string): void =>
    this.isJson ? this.#write('error', message) : this.#options.write(`${this.#options.process}: ${message}`);

  readonly request = (entry: LoggedRequest): void => {
    const { at: _, ...facts } = entry;
    const { method, path, status, error } = entry;
    const level = status >= 500 || error !== undefined ? 'error' : status >= 400 ? 'warn' : 'info';
    if (!this.isJson) this.#options.write(requestLine(entry));
    else this.#write(level, `${method} ${path} ${status}`, { ...facts, path: clean(path) });
  };

  /** Logs an event for programs. It is written only as JSON. */
  event(message: string, facts: Readonly<Record<string, unknown>>): void {
    if (this.isJson) this.#write('info', message, facts);
  }

  ofTenant(tenant: string | undefined): ServerLog {
    return new ServerLog({ ...this.#options, tenant });
  }

  #write(level: 'info' | 'warn' | 'error', msg: string, facts: Readonly<Record<string, unknown>> = {}): void {
    const { process, clock, tenant, write } = this.#options;
    const { trace, ...about } = currentLogContext();
    const time = new Date(clock.now()).toISOString();
    const context = defined({ tenant, ...about, trace_id: trace?.traceId });
    write(safeJson({ time, level, msg: clean(msg), process, ...context, ...facts }));
  }
}

const clean = (text: string) => maskAccounts(redactSecrets(text));

/** Formats a request as a line of text, without query, headers and body. */
function requestLine({ at, method, path, status, code, sub, duration_ms, error }: LoggedRequest): string {
  const who = sub === undefined ? '' : ` sub=${JSON.stringify(sub)}`;
  const why = [code, error].filter((word) => word !== undefined).join(' ');
  return safeLine(`${at} ${method} ${path} ${status}${why === '' ? '' : ` ${why}`}${who} ${duration_ms} ms`);
}

/** Assigns each request an ID, and adds the ID to the request's log lines and response, to find all of its lines. */
export function withRequestContext(listener: RequestListener): RequestListener {
  return (request, response) => {
    const request_id = randomUUID();
    response.setHeader('x-request-id', request_id);
    runInLogContext({ request_id, trace: parseTraceparent(request.headers.traceparent) }, () =>
      listener(request, response),
    );
  };
}

export interface RequestLogDeps {
  readonly log: Pick<ServerLog, 'request'>;
  readonly clock: Pick<Clock, 'now'>;
}

/** Logs a request after the response. Used only if no route matches, because routes log their own requests. */
export function logWhenAnswered(
  request: IncomingMessage,
  response: ServerResponse,
  { log, clock }: RequestLogDeps,
): void {
  const since = clock.now();
  const { request_id, trace } = currentLogContext();
  const [path = '/'] = (request.url ?? '/').split('?', 1);
  const { method = 'GET' } = request;
  response.once('close', () => {
    const asked = { at: formatUtcSeconds(since), method, path, status: response.statusCode };
    log.request({ ...asked, duration_ms: clock.now() - since, ...defined({ request_id, trace_id: trace?.traceId }) });
  });
}
