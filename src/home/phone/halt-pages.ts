import { Hono } from 'hono';
import { html } from 'hono/html';
import { HALTED_BY_MAX_DAY_LOSS, type TradingStateSnapshot } from '../../store/halts.ts';
import { renderLocalTime } from './decision/local-time.ts';
import type { BrowserEnv } from './page/browser-env.ts';
import { type Markup, redirectToSignIn, renderPage } from './page/page.ts';
import type { HaltControl, PhoneServices } from './phone-services.ts';

const PATH = '/phone/halt';

/**
 * Creates the halt page. Halting requires no passkey, because a person who has lost their passkey needs this page most.
 */
export function createHaltPages(halting: HaltControl, { clock }: Pick<PhoneServices, 'clock'>): Hono<BrowserEnv> {
  const app = new Hono<BrowserEnv>();

  app.get(PATH, async (context) => {
    const { user, formToken } = context.var;
    if (user === undefined) return redirectToSignIn(context, PATH);
    const tradingState = await halting.trading(user.username);
    const since = renderLocalTime(Math.min(tradingState?.since ?? clock.now(), clock.now()));
    return renderPage(context, {
      title: 'Halt trading',
      body:
        tradingState?.state === 'halted'
          ? html`<div class="card" data-testid="halted">
<h1 tabindex="-1">Trading is halted</h1>
<p>Since ${since}. Nothing will be carried out for you, no matter who proposed it. Open orders stay at the broker and can be canceled.</p>
<p>To resume: <span class="mono">trade-agent halt --lift</span>, which asks for your approval here.</p>
</div>`
          : html`${tradingState?.state === 'reducing' ? reducingCard(tradingState, since) : ''}<div class="card">
<h1 tabindex="-1">Halt all trading?</h1>
<p>Pending requests are withdrawn, and nothing more is carried out until you approve resuming. Open orders stay at the broker and can be canceled.</p>
<form method="post" action="${PATH}">
<input type="hidden" name="form_token" value="${formToken}">
<button class="stop wide" data-testid="halt">Halt all trading</button>
</form>
</div>`,
    });
  });

  app.post(PATH, async (context) => {
    const { user } = context.var;
    if (user === undefined) return redirectToSignIn(context, PATH);
    await halting.halt(user.username);
    return context.redirect(PATH, 303);
  });

  return app;
}

/** Renders the card for "positions can only be reduced". Still offers a full halt, which also stops sales. */
function reducingCard({ until, by }: TradingStateSnapshot, since: Markup): Markup {
  return html`<div class="card" data-testid="reducing">
<h2>Positions can only be reduced</h2>
<p>Since ${since}${by === HALTED_BY_MAX_DAY_LOSS ? ', because the account has lost more today than its limit allows' : ''}. Nothing is bought, and only what you hold can be sold, no matter who proposes it.${until === undefined ? '' : html` The restriction ends automatically at ${renderLocalTime(until)}.`}</p>
<p>To end the restriction now: <span class="mono">trade-agent halt --lift</span>, which asks for your approval here.</p>
</div>`;
}
