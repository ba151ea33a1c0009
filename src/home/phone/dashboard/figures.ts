import { html } from 'hono/html';
import { signedDollars, signedPercent } from '../../../trading/amounts.ts';
import { decimal } from '../../../trading/decimal.ts';
import type { Markup } from '../page.ts';

/** Gains and losses by colour and by sign: `+$12.00`. */
export function gain(amount: string): Markup {
  return html`<span class="${toneOf(amount)}">${signedDollars(amount)}</span>`;
}

/** @param fraction 0.01 is 1 % */
export function gainPercent(fraction: string): Markup {
  return html`<span class="${toneOf(fraction)}">${signedPercent(fraction)}</span>`;
}

function toneOf(amount: string): 'gain' | 'loss' | 'even' {
  const exact = decimal(amount);
  return exact.gt(0) ? 'gain' : exact.lt(0) ? 'loss' : 'even';
}

/** A share of the whole without a sign of its own: `12.3%`. */
export function weight(fraction: string): string {
  return `${decimal(fraction).mul(100).toFixed(1)}%`;
}

/** How much of the whole it is, drawn; the number stands beside it. @param fraction more than all is drawn as all */
export function weightBar(fraction: string): Markup {
  const width = Math.min(100, Math.max(0, decimal(fraction).abs().mul(100).toNumber()));
  return html`<svg class="weight" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true" focusable="false"><rect width="100" height="4" rx="2"/><rect class="part" width="${width.toFixed(1)}" height="4" rx="2"/></svg>`;
}
