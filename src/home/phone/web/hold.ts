/*
 * Pressing and holding the Approve button for a large amount of real money (`data-hold`), so that a habitual tap
 * approves nothing. People who can't hold, or who use a keyboard or screen reader, press another button instead.
 */

/** Milliseconds for which the button must be held. Also the duration of the fill in ../page/phone-assets.ts. */
const HOLD_MS = 1000;
/** Milliseconds for which a confirmation without holding is valid. */
const CONFIRMED_MS = 15_000;

/** The button that was held and has submitted its form. The click when the finger is lifted must not submit again. */
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
    // Vibrates if the device supports it.
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

/** Returns whether the button was held or need not be held. Each hold is valid for one attempt. */
export function consumeHold({ dataset }: HTMLButtonElement): boolean {
  const held = dataset.hold === undefined || dataset.held !== undefined;
  delete dataset.held;
  return held;
}

/** Returns a button that confirms without holding. After it is clicked, the next press of `approve` counts. */
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
