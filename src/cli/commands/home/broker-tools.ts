import type { OrderTool } from '../../../gateway/broker/acting-tool.ts';
import { safeLine, safeText } from '../../../text/sanitize.ts';

const stateWords: Readonly<Record<OrderTool['state'], string>> = {
  confirmed: 'confirmed',
  changed: 'CHANGED since it was confirmed: no orders are sent',
  unconfirmed: 'not confirmed: no orders are sent',
  gone: 'missing or duplicate: no orders are sent',
};

export function brokerToolsText(broker: string, tools: readonly OrderTool[]): string {
  const said = tools.flatMap(({ name, state, description, parameters }) => [
    `${safeLine(name)}  (${stateWords[state]})`,
    ...safeText(description)
      .split('\n')
      .map((line) => `    ${line}`),
    `    arguments: ${safeLine(JSON.stringify(parameters))}`,
  ]);
  if (tools.every(({ state }) => state === 'confirmed')) return said.join('\n');
  const pins = tools.flatMap(({ name, pin }) => (pin === undefined ? [] : [`  ${safeLine(name)}: ${pin}`]));
  return [
    ...said,
    '',
    `After reading the definitions, confirm the tools by adding this under "${broker}" in gateway.yaml, and restart the home:`,
    'pins:',
    ...pins,
  ].join('\n');
}
