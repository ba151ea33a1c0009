import { html } from 'hono/html';
import { environmentName } from '../../../trading/environment.ts';
import type { Banner } from '../../../trading/kinds/kind-words.ts';
import type { Markup } from '../page/page.ts';

/*
 * Icons are drawn as SVG, because a font without the character would show an empty box. The text next to each icon has
 * the same meaning, so icons have no accessible name.
 */

const paths = {
  buy: 'M12 4 21 19H3Z',
  sell: 'M12 20 3 5h18Z',
  paper: 'M12 3l9 9-9 9-9-9zm0 4.2L7.2 12l4.8 4.8 4.8-4.8z',
  live: 'M12 2.5 23 21.5H1zM11 9v6h2V9zm0 7.5v2h2v-2z',
  done: 'M9.5 18.5 3 12l2-2 4.5 4.4L19 5l2 2z',
  no: 'M5 7l2-2 5 5 5-5 2 2-5 5 5 5-2 2-5-5-5 5-2-2 5-5z',
  late: 'M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20zm0 2.4a7.6 7.6 0 1 1 0 15.2 7.6 7.6 0 0 1 0-15.2zM11 7v6l4.2 2.6 1-1.7L13 11.9V7z',
  back: 'M9 5 3 11l6 6v-4.5h5.5a3 3 0 0 1 0 6H11V21h3.5a5.5 5.5 0 0 0 0-11H9z',
  wait: 'M4 10h4v4H4zm6 0h4v4h-4zm6 0h4v4h-4z',
  ask: 'M11 16h2v3h-2zM12 4a5 5 0 0 0-5 5h2.4a2.6 2.6 0 1 1 3.9 2.2c-1.4.8-2.3 1.7-2.3 3.3h2.2c0-.8.5-1.2 1.4-1.8A4.9 4.9 0 0 0 12 4z',
  letter: 'M2 5h20v14H2zm2.4 2L12 12.6 19.6 7zM4 9.2V17h16V9.2l-8 5.8z',
  go: 'M7 4l13 8-13 8z',
  person: 'M12 3a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9zM3 21a9 7.5 0 0 1 18 0z',
} as const;
export type IconName = keyof typeof paths;

/** Renders an SVG icon that is hidden from screen readers and has the color of the surrounding text. */
export function renderIcon(name: IconName): Markup {
  return html`<svg class="sign" viewBox="0 0 24 24" aria-hidden="true" focusable="false"><path fill-rule="evenodd" d="${paths[name]}"/></svg>`;
}

/** Renders a proposal kind's icon from the kind's character. Renders the character itself if there is no icon. */
function kindSign(character: string): Markup {
  const drawn: Readonly<Record<string, IconName>> = { '✉': 'letter', '▶': 'go', '☺': 'person' };
  const name = Object.hasOwn(drawn, character) ? drawn[character] : undefined;
  return name === undefined ? html`<span aria-hidden="true">${character}</span>` : renderIcon(name);
}

/**
 * Renders an environment's banner. The banners differ in word, icon and border. Every environment except paper is shown
 * as live.
 */
export function renderEnvironmentBanner(environment: unknown): Markup {
  return environment === 'paper'
    ? html`<p class="environment paper" data-testid="environment">${renderIcon('paper')}<strong>${environmentName(environment)}</strong><span>simulated money</span></p>`
    : html`<p class="environment live" data-testid="environment">${renderIcon('live')}<strong>${environmentName(environment)}</strong><span>real money</span></p>`;
}

/** Renders the banner of a request that moves no money. */
export function renderNoMoneyBanner({ sign: character, word, what }: Banner): Markup {
  return html`<p class="environment paper" data-testid="environment">${kindSign(character)}<strong>${word}</strong><span>${what}</span></p>`;
}

export function renderEnvironmentMark(view: {
  readonly live: boolean;
  readonly environment: unknown;
  readonly banner: Banner | undefined;
}): Markup | '' {
  if (view.banner !== undefined) return '';
  return html`<span class="mark ${view.live ? 'live' : 'paper'}">${environmentName(view.environment)}</span>`;
}
