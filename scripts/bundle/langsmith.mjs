// Replaces LangSmith, LangChain's tracing service, so that no account data leaves this machine. Its client would also be
// a tenth of the code of a run. Has only what LangChain's bookkeeping calls, without network access.
const now = () => new Date();

export class RunTree {
  constructor(config = {}) {
    Object.assign(this, config);
    this.tracingEnabled = false;
  }
}

export class Client {
  constructor() {
    throw new Error('tracing is not part of trade-agent');
  }
}

export const isRunTree = (value) => value instanceof RunTree;
export const isTraceableFunction = () => false;
/** Runs are never traced. */
export const getCurrentRunTree = () => undefined;

/** Returns LangSmith's sortable name of a run: the time in microseconds, then its ID. */
export function convertToDottedOrderFormat(epoch, runId, executionOrder = 1) {
  const microsecondPrecisionDatestring = `${new Date(epoch ?? now())
    .toISOString()
    .slice(0, -1)}${executionOrder.toFixed(0).slice(0, 3).padStart(3, '0')}Z`;
  return {
    dottedOrder: microsecondPrecisionDatestring.replace(/[-:.]/g, '') + runId,
    microsecondPrecisionDatestring,
  };
}
