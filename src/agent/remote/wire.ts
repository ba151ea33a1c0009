import { defined } from '../../values/defined.ts';
import type { RunInput, RunOptions } from '../agent.ts';
import type { WireInput, WireOptions } from './wire-schemas.ts';

/** What a run is asked for, as it crosses the wire. */
export function toWireInput(input: RunInput): WireInput {
  if ('prompt' in input) return { ...input };
  const { composedBy, orders, ...rest } = input;
  return { orders: [...orders], composed_by: composedBy, ...rest };
}

/** What crossed the wire, as the agent takes it. */
export function fromWireInput(input: WireInput): RunInput {
  if ('prompt' in input) return input;
  const { composed_by, ...rest } = input;
  return { ...rest, composedBy: composed_by };
}

/** What of a run's options crosses the wire; who makes the agent adds the rest. */
export function toWireOptions(
  options: Omit<RunOptions, 'signal'>,
  made: Pick<WireOptions, 'read_only' | 'model' | 'account'> = {},
): WireOptions {
  const { approval: mode, cancelOnExit, requestedBy, ttl, maxTurns, mandates } = options;
  return {
    approval: mode,
    ...defined({ requested_by: requestedBy, ttl, max_turns: maxTurns, cancel_on_exit: cancelOnExit }),
    ...(mandates === undefined || mandates.length === 0
      ? {}
      : { mandates: mandates.map((one) => ({ ...one, symbols: [...one.symbols], sides: [...one.sides] })) }),
    ...made,
  };
}

/** The same at the server, with the signal that ends the run there. */
export function fromWireOptions(wire: WireOptions, signal: AbortSignal): RunOptions {
  const { approval: mode, cancel_on_exit, requested_by, ttl, max_turns, mandates } = wire;
  return {
    approval: mode,
    signal,
    ...defined({
      requestedBy: requested_by,
      ttl,
      maxTurns: max_turns,
      cancelOnExit: cancel_on_exit,
      mandates,
    }),
  };
}
