import { AsyncLocalStorage } from 'node:async_hooks';

/** The IDs of a trace and of the span that the current work belongs to, in lower-case hex (W3C Trace Context). */
export interface TraceIds {
  readonly traceId: string;
  readonly spanId: string;
}

export interface LogContext {
  readonly request_id?: string | undefined;
  readonly trace?: TraceIds | undefined;
  readonly proposal?: string | undefined;
}

const contexts = new AsyncLocalStorage<LogContext>();

/** Runs `work` in this context. Everything that `work` starts inherits the context. */
export const runInLogContext = <T>(context: LogContext, work: () => T): T => contexts.run(context, work);

export const currentLogContext = (): LogContext => contexts.getStore() ?? {};

/** Adds fields that became known later to the current context. Does nothing outside of a context. */
export function extendLogContext(more: LogContext): void {
  Object.assign(contexts.getStore() ?? {}, more);
}
