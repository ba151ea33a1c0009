import { html } from 'hono/html';
import { utcSeconds } from '../../../machine/clock.ts';
import type { Markup } from '../page/page.ts';

/** As `detail-fields.ts` and the kinds write a time, and as it crosses the wire (RFC 3339, UTC to the second). */
const written = /(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?: UTC|Z)/;

/** A time that the page's script shows in the phone's own zone; without script it says UTC. */
export function localTime(epochMs: number): Markup {
  return timed(utcSeconds(epochMs));
}

/** A text in which every time is one that {@link localTime} would make. */
export function timed(text: string): Markup {
  const parts: Markup[] = [];
  let rest = text;
  for (let found = written.exec(rest); found !== null; found = written.exec(rest)) {
    const [whole, day, time] = found;
    parts.push(html`${rest.slice(0, found.index)}<time datetime="${day}T${time}Z">${day} ${time} UTC</time>`);
    rest = rest.slice(found.index + whole.length);
  }
  return html`${parts}${rest}`;
}
