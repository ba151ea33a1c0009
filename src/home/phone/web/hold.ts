/*
 * Holding the Approve button of a request for much real money (`data-hold`). A tap out of habit then approves nothing.
 * Whoever can't hold, or uses a keyboard or a screen reader, confirms with one more button instead.
 */

/** Also the duration of the fill in ../page/phone-assets.ts. */
const HOLD_MS = 1000;
/** How long a confirmation without holding counts. */
const CONFIRMED_MS = 15_000;

/** The button whose hold has just submitted its form. The click on lifting the finger must not submit again. */
let submitted: HTMLButtonElement | undefined;

export function handleHolds(): void {
  document.addEventListener('pointerdown', ({ target, button: pressed, isPrimary }) => {
    submitted = undefined;
    const button = target instanceof Element ? target.closest<HTMLButtonElement>('button[data-hold]') : null;
    if (button === null || pressed !== 0 || !isPrimary) return;
    if (button.disabled || button.hasAttribute('aria-disabled') || button.hasAttribute('aria-busy')) return;
    startHold(button);
  });
  document.addEventListener(
    'click',
    (event) => {
      if (submitted === undefined || !(event.target instanceof Node) || !submitted.contains(event.target)) return;
      submitted = undefined;
      event.preventDefault();
      event.stopImmediatePropagation();
    },
    true,
  );
}

function startHold(button: HTMLButtonElement): void {
  const over = new AbortController();
  button.dataset.holding = '';
  const timer = setTimeout(() => {
    over.abort();
    if (!button.isConnected) return;
    submitted = button;
    button.dataset.held = '';
    // A confirmation that can be felt, where the device has one.
    navigator.vibrate?.(20);
    button.form?.requestSubmit(button);
  }, HOLD_MS);
  over.signal.addEventListener('abort', () => {
    clearTimeout(timer);
    delete button.dataset.holding;
  });
  for (const end of ['pointerup', 'pointercancel', 'pointerleave'])
    button.addEventListener(end, () => over.abort(), { signal: over.signal });
}

/** Returns whether the button was held, or needs no hold. One hold counts for one attempt. */
export function consumeHold({ dataset }: HTMLButtonElement): boolean {
  const held = dataset.hold === undefined || dataset.held !== undefined;
  delete dataset.held;
  return held;
}

/** Returns a button that confirms without holding. The next press of `approve` then counts. */
export function confirmationButton(approve: HTMLButtonElement, confirmed: () => void): HTMLButtonElement {
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'quiet';
  button.dataset.testid = 'confirm-instead';
  button.textContent = 'Confirm without holding';
  button.addEventListener('click', () => {
    approve.dataset.held = '';
    setTimeout(() => delete approve.dataset.held, CONFIRMED_MS);
    confirmed();
    approve.focus({ preventScroll: true });
  });
  return button;
}
