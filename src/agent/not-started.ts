import type { RunResult } from './events.ts';

/** The result of a run that did not begin. @param model which would have been asked, as far as is known */
export function notStarted(thread: string, model: string, error: NonNullable<RunResult['error']>): RunResult {
  return {
    thread,
    status: 'failed',
    text: '',
    data: [],
    orders: [],
    messages: [],
    approvals: [],
    connections: [],
    usage: { model, input_tokens: 0, output_tokens: 0 },
    error,
  };
}
