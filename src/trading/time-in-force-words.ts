import type { TimeInForce } from './order-types.ts';

/** How each time in force is called on the phone, and how the terminal says it. */
export const timeInForceWords: Readonly<
  Record<TimeInForce, { readonly name: string; readonly terms: string }>
> = {
  day: { name: 'Day', terms: 'day (until the close)' },
  gtc: { name: 'Good till cancelled', terms: 'gtc (until cancelled)' },
  opg: { name: 'At the open', terms: 'opg (at the opening auction)' },
  cls: { name: 'At the close', terms: 'cls (at the closing auction)' },
  ioc: { name: 'Immediate or cancel', terms: 'ioc (at once, the rest is cancelled)' },
  fok: { name: 'Fill or kill', terms: 'fok (at once and whole, or not at all)' },
};
