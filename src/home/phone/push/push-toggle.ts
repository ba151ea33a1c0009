import { html } from 'hono/html';
import type { Markup } from '../page.ts';
import type { PhonePush } from './phone-push.ts';

/**
 * Where a person has this browser ring. Empty and hidden until its script (web/push.ts) knows how it stands: without
 * script nothing rings.
 */
export function pushToggle({ publicKey }: Pick<PhonePush, 'publicKey'>): Markup {
  return html`<section class="card ring" data-push="${publicKey}" data-testid="push" aria-label="Ringing" hidden>
<p class="small" role="status" data-push-words></p>
<button type="button" class="quiet" data-push-button data-testid="push-toggle" hidden></button>
</section>`;
}
