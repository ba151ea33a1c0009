import { loadJq } from 'jq-wasm';
import { TradeAgentError } from '../../errors/errors.ts';

/** jq's exit status if the expression doesn't compile. */
const COMPILE_ERROR_STATUS = 3;

/**
 * Creates a filter that runs the real jq (version 1.8) and returns strings raw, as with `jq -r`.
 * @throws {TradeAgentError} `usage` with jq's message if the expression doesn't compile. The filter throws the same
 * error if the expression doesn't fit the result.
 */
export async function createJqFilter(expression: string): Promise<(json: string, indented: boolean) => string> {
  const jq = await loadJq();
  // Compiles the expression before the command runs. Otherwise, an order could be placed and its result not printed.
  const tried = jq.raw('null', expression, ['-c']);
  if (tried.exitCode === COMPILE_ERROR_STATUS) throw jqError('--jq is not a valid jq expression', tried.stderr);
  return (json, indented) => {
    const { stdout, stderr, exitCode } = jq.raw(json, expression, indented ? ['-r'] : ['-r', '-c']);
    if (exitCode !== 0) throw jqError('--jq does not fit the result', stderr);
    return stdout;
  };
}

function jqError(message: string, said: string): TradeAgentError {
  const words = said
    .replace(/^jq: error(?: \(at [^)]*\))?: /, '')
    .replace(/\n?jq: \d+ compile errors?$/, '')
    .replace(/\s+/g, ' ')
    .trim();
  return new TradeAgentError('usage', words === '' ? message : `${message}: ${words}`, {
    hint: '--jq filters the output of --output json (see docs/reference/schema). The command itself was run.',
  });
}
