// Stands in for LangSmith, LangChain's tracing service: nothing of the account leaves this machine, and its client
// would be a tenth of what a run loads. What LangChain's own bookkeeping needs of it, and no network.
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
/** No run is ever traced. */
export const getCurrentRunTree = () => undefined;

/** LangSmith's sortable name of a run: time to the microsecond, then its id. */
export function convertToDottedOrderFormat(epoch, runId, executionOrder = 1) {
  const microsecondPrecisionDatestring = `${new Date(epoch ?? now())
    .toISOString()
    .slice(0, -1)}${executionOrder.toFixed(0).slice(0, 3).padStart(3, '0')}Z`;
  return {
    dottedOrder: microsecondPrecisionDatestring.replace(/[-:.]/g, '') + runId,
    microsecondPrecisionDatestring,
  };
}
