/** LangChain sends every prompt and tool result to a tracing service when one of these is set, for whatever program. */
const tracingSwitches = [
  'LANGSMITH_TRACING_V2',
  'LANGCHAIN_TRACING_V2',
  'LANGSMITH_TRACING',
  'LANGCHAIN_TRACING',
] as const;

/** Keeps the account's data on this machine: a switch set for another program is no consent to share it. */
export function disableTracing(env: NodeJS.ProcessEnv = process.env): void {
  for (const name of tracingSwitches) delete env[name];
}
