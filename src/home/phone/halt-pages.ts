import { Hono } from 'hono';
import { html } from 'hono/html';
import type { BrowserEnv } from './browser-env.ts';
import { localTime } from './decision/local-time.ts';
import { page, toSignIn } from './page.ts';
import type { Halting, PhoneServices } from './phone-services.ts';

const PATH = '/phone/halt';

/** Stopping all trading takes no passkey: whoever has lost theirs needs it most. To let it go on takes an approval. */
export function createHaltPages(halting: Halting, { clock }: Pick<PhoneServices, 'clock'>): Hono<BrowserEnv> {
  const app = new Hono<BrowserEnv>();

  app.get(PATH, async (context) => {
    const { user, formToken } = context.var;
    if (user === undefined) return toSignIn(context, PATH);
    const since = await halting.haltedAt(user.username);
    return page(context, {
      title: 'Halt trading',
      body:
        since !== undefined
          ? html`<div class="card" data-testid="halted">
<h1 tabindex="-1">Trading is halted</h1>
<p>Since ${localTime(Math.min(since, clock.now()))}. Nothing more is carried out for you, whoever proposed it. Open orders stay at the broker, and can be cancelled.</p>
<p>To let it go on: <span class="mono">trade-agent halt --lift</span>, which asks for your approval here.</p>
</div>`
          : html`<div class="card">
<h1 tabindex="-1">Halt all trading?</h1>
<p>What waits for you is withdrawn, and nothing more is carried out, until you approve that it goes on. Open orders stay at the broker, and can be cancelled.</p>
<form method="post" action="${PATH}">
<input type="hidden" name="form_token" value="${formToken}">
<button class="stop wide" data-testid="halt">Halt all trading</button>
</form>
</div>`,
    });
  });

  app.post(PATH, async (context) => {
    const { user } = context.var;
    if (user === undefined) return toSignIn(context, PATH);
    await halting.halt(user.username);
    return context.redirect(PATH, 303);
  });

  return app;
}
