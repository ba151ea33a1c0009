// Runs as a process of its own inside a D-Bus session: does the steps given as JSON on standard input with the real
// keychain store, and prints what came of each.
import { text } from 'node:stream/consumers';
import { isTradeAgentError } from '../../../src/errors/errors.ts';
import { openKeychainStore } from '../../../src/secrets/keychain/keychain-store.ts';
import type { DriverInput, StepResult } from './keychain-session.ts';

const input = JSON.parse(await text(process.stdin)) as DriverInput;
const store = openKeychainStore(input.options);
const results: StepResult[] = [];
for (const step of input.steps) {
  const start = performance.now();
  try {
    const value = await {
      get: () => store.get(step.names ?? []),
      set: () => store.set(step.values ?? {}, step.expected),
      delete: () => store.delete(step.names ?? []),
      probe: () => store.probe(),
    }[step.do]();
    results.push({ value, ms: performance.now() - start });
  } catch (error) {
    if (!isTradeAgentError(error)) throw error;
    const { code, message, hint, details } = error;
    results.push({ error: { code, message, hint, details }, ms: performance.now() - start });
  }
}
process.stdout.write(JSON.stringify(results));
