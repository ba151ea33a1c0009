import type { PhoneRequest } from '../sandbox/phone/phone-client.ts';
import type { Context } from './context.ts';
import { safeLine } from './text/safe-text.ts';

export type Decide = 'approve' | 'deny' | 'ask';

/** A pending request as the phone's screen would show it: every field of the details, known or not. */
export function requestLines(request: PhoneRequest): string[] {
  const details = Object.entries(request.details)
    .filter(([, value]) => value !== undefined)
    .map(([field, value]): [string, string] => [
      field,
      typeof value === 'string' ? value : JSON.stringify(value),
    ]);
  const rows: [string, string][] = [
    ['code', request.code],
    ['asked by', request.client_name],
    ...(request.binding_message === null ? [] : [['message', request.binding_message] as [string, string]]),
    ['expires', request.expires_at],
    ...details,
  ];
  const width = Math.max(...rows.map(([label]) => label.length));
  return [
    `${kindOf(request.details)} for ${safeLine(request.user)} to approve:`,
    ...rows.flatMap(([label, value]) =>
      // Each line of a text on a line of its own, under its label: nothing in it can pass for another field.
      value
        .split('\n')
        .map((line, index) => `  ${(index === 0 ? safeLine(label) : '').padEnd(width)}  ${safeLine(line)}`),
    ),
    'Deny it unless you asked for it yourself, just now.',
  ];
}

function kindOf({ environment, recipient, side }: PhoneRequest['details']): string {
  if (recipient !== undefined && side === undefined) return 'message';
  const money = environment === 'paper' ? 'PAPER' : environment === 'live' ? 'LIVE' : 'UNKNOWN ENVIRONMENT:';
  return `${money} order`;
}

/** Asks the person at the terminal; undefined when they leave it open. */
export async function askDecision(context: Context): Promise<'approve' | 'deny' | undefined> {
  for (;;) {
    const answer = await context.io.prompt('Approve, deny, or leave it? [a/d/l] ', context.signal);
    const key = answer.trim().toLowerCase();
    if (['a', 'approve', 'y', 'yes'].includes(key)) return 'approve';
    if (['d', 'deny', 'n', 'no'].includes(key)) return 'deny';
    if (['l', 'leave'].includes(key)) return undefined;
  }
}
