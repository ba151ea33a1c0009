import type { ActingTool } from '../../../gateway/broker/acting-tool.ts';
import { safeLine, safeText } from '../../../text/shown-text.ts';

const stateWords: Readonly<Record<ActingTool['state'], string>> = {
  confirmed: 'confirmed',
  changed: 'CHANGED since it was confirmed: no order is sent',
  unconfirmed: 'not confirmed: no order is sent',
  gone: 'not there, or twice: no order is sent',
};

/** What each tool says of itself, and the lines that confirm them. */
export function brokerToolsText(broker: string, tools: readonly ActingTool[]): string {
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
    `Once you have read them, confirm them as they are below "${broker}" in gateway.yaml, and start the home again:`,
    'pins:',
    ...pins,
  ].join('\n');
}
