import { ask } from './ask.ts';
import { type Listeners, listen } from './events.ts';
import { handleForms, sendAutomatic } from './forms.ts';
import type { ApprovalOptions } from './passkeys.ts';
import { passkeys } from './passkeys-loader.ts';
import { startPush } from './push.ts';
import { say, show, started } from './show.ts';

interface TradeAgent {
  /** See `ask.ts`. */
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /** See `events.ts`. */
  listen(path: string, listeners: Listeners): () => void;
  /** Has the person's passkey sign; the evidence as JSON. See `passkeys.ts`. */
  sign(options: ApprovalOptions): Promise<string>;
}

declare global {
  interface Window {
    tradeAgent: TradeAgent;
  }
}

window.tradeAgent = {
  fetch: ask,
  listen,
  sign: async (options) => (await passkeys()).sign(options),
};

handleForms();
startPush();
// A page that is only prepared in advance asks for nothing, and uses nothing up, until it is looked at.
if ('prerendering' in document && document.prerendering)
  document.addEventListener('prerenderingchange', () => void begin(), { once: true });
else void begin();

/** The server sends a document with nothing in it where the cookie alone counts for nothing. */
async function begin(): Promise<void> {
  const main = document.querySelector('main');
  if (main?.dataset.shell === undefined) {
    started(main);
    return sendAutomatic();
  }
  try {
    await show(await ask(location.pathname + location.search));
    sendAutomatic();
  } catch {
    say('Your home is out of reach, or this browser keeps nothing for its page. Load it again.');
  }
}
