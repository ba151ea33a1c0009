import { html } from 'hono/html';
import { formatUtcSeconds } from '../../../machine/clock.ts';
import type { Markup } from '../page/page.ts';

/** Matches UTC times with seconds, in RFC 3339 or as `2026-11-26 14:30:00 UTC`. */
const timePattern = /(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?: UTC|Z)/;

/** Renders a time, which the page's script converts to the phone's time zone. Without script, the page shows UTC. */
export function renderLocalTime(epochMs: number): Markup {
  return withLocalTimes(formatUtcSeconds(epochMs));
}

/** Renders text. The page's script converts all times in it to the phone's time zone. */
export function withLocalTimes(text: string): Markup {
  const parts: Markup[] = [];
  let rest = text;
  for (let found = timePattern.exec(rest); found !== null; found = timePattern.exec(rest)) {
    const [whole, day, time] = found;
    parts.push(html`${rest.slice(0, found.index)}<time datetime="${day}T${time}Z">${day} ${time} UTC</time>`);
    rest = rest.slice(found.index + whole.length);
  }
  return html`${parts}${rest}`;
}
