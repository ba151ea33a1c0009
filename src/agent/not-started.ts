import type { RunResult } from './events.ts';

/** Returns the result of a run that did not start. @param model the model that would have been used, if known */
export function createNotStartedResult(
  thread: string,
  model: string,
  error: NonNullable<RunResult['error']>,
): RunResult {
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
