import { FRAGMENT } from './ask.ts';
import { localTimes } from './times.ts';

/** Puts an answer's page in the place of the one that is shown. What it says is our own server's. */
export async function show(answer: Response): Promise<void> {
  if (!answer.headers.get('content-type')?.startsWith(FRAGMENT)) {
    return say(`The server's answer can't be shown (${answer.status}). Load the page again.`);
  }
  const template = document.createElement('template');
  template.innerHTML = await answer.text();
  for (const part of ['header', 'main', 'footer']) {
    const [old, fresh] = [document.querySelector(part), template.content.querySelector(part)];
    if (old !== null && fresh !== null) old.replaceWith(fresh);
  }
  const main = document.querySelector('main');
  document.title = main?.dataset.title ?? document.title;
  // What is read aloud goes on where the page has changed.
  main?.querySelector<HTMLElement>('[autofocus], h1[tabindex]')?.focus({ preventScroll: true });
  window.scrollTo(0, 0);
  started(main);
}

/** Puts times into the phone's own zone, and loads what the page asks for by `data-script`: one of our own assets. */
export function started(main: HTMLElement | null): void {
  localTimes(document);
  const source = main?.dataset.script;
  if (!source?.startsWith('/phone/assets/')) return;
  const script = document.createElement('script');
  script.type = 'module';
  script.src = source;
  document.head.append(script);
}

export function say(text: string): void {
  const paragraph = document.createElement('p');
  paragraph.className = 'problem';
  paragraph.setAttribute('role', 'alert');
  paragraph.dataset.testid = 'problem';
  paragraph.textContent = text;
  document.querySelector('main')?.replaceChildren(paragraph);
}
