import type { OrderTool } from '../acting-tool.ts';
import { NotSentError } from '../broker-failure.ts';
import { type McpMapping, orderToolNames } from './mapping.ts';
import type { McpSession, PinnedTools } from './session.ts';

const PINS_AGE_MS = 60_000;

type ConfirmedPins = Readonly<Record<string, string>>;

export function comparePinnedOrderTools(
  tools: PinnedTools,
  mapping: McpMapping,
  confirmed: ConfirmedPins,
): readonly OrderTool[] {
  return orderToolNames(mapping).map((name) => {
    const { tool, pin } = tools.get(name) ?? {};
    const kept = Object.hasOwn(confirmed, name) ? confirmed[name] : undefined;
    const known = kept === undefined ? 'unconfirmed' : kept === pin ? 'confirmed' : 'changed';
    return {
      name,
      state: pin === undefined ? 'gone' : known,
      pin,
      description: tool?.description ?? '',
      parameters: tool?.inputSchema ?? {},
    };
  });
}

const stateText: Readonly<Record<OrderTool['state'], string>> = {
  confirmed: 'is confirmed',
  changed: 'has a description that differs from the confirmed one',
  unconfirmed: 'is not confirmed',
  gone: 'is missing, or its name is used twice',
};

/** Requires that the operator confirmed all tools that place or cancel orders. @throws {NotSentError} */
export async function requireConfirmedTools(
  session: McpSession,
  mapping: McpMapping,
  confirmed: ConfirmedPins,
): Promise<void> {
  const tools = comparePinnedOrderTools(await session.tools(PINS_AGE_MS), mapping, confirmed);
  const other = tools.find(({ state }) => state !== 'confirmed');
  if (other === undefined) return;
  const { name, state, pin } = other;
  const then = pin === undefined ? '' : `, and set broker.pins.${name} to ${pin}`;
  throw new NotSentError(
    `the tool ${name} of the broker's server ${stateText[state]}: no order is sent until the gateway's operator has reviewed the tool ("trade-agent home broker tools")${then}`,
  );
}
