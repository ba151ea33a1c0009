import { html } from 'hono/html';
import { environmentWord } from '../../../trading/environment.ts';
import type { Banner } from '../../../trading/kinds/kind-words.ts';
import type { Markup } from '../page.ts';
import { sign, signOf } from './signs.ts';

/** Told apart by word, sign and border, not by colour alone. Whatever is not paper is shown as live. */
export function environmentBanner(environment: unknown): Markup {
  return environment === 'paper'
    ? html`<p class="environment paper" data-testid="environment">${sign('paper')}<strong>${environmentWord(environment)}</strong><span>simulated money</span></p>`
    : html`<p class="environment live" data-testid="environment">${sign('live')}<strong>${environmentWord(environment)}</strong><span>real money</span></p>`;
}

/** Of what moves no money. */
export function wordBanner({ sign: character, word, what }: Banner): Markup {
  return html`<p class="environment paper" data-testid="environment">${signOf(character)}<strong>${word}</strong><span>${what}</span></p>`;
}

/** In a list: the word alone. */
export function environmentMark(view: {
  readonly live: boolean;
  readonly environment: unknown;
  readonly banner: Banner | undefined;
}): Markup | '' {
  if (view.banner !== undefined) return '';
  return html`<span class="mark ${view.live ? 'live' : 'paper'}">${environmentWord(view.environment)}</span>`;
}
