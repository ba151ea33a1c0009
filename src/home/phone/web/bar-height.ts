const sizes = new ResizeObserver(measureBar);
let watched: Element | undefined;

/** The page ends above the bar at the bottom, however high that is: the style goes by `--bar`. */
export function measureBar(): void {
  const bar = document.querySelector<HTMLElement>('.bar');
  document.documentElement.style.setProperty('--bar', `${bar?.offsetHeight ?? 0}px`);
  if (bar === null || bar === watched) return;
  sizes.disconnect();
  sizes.observe(bar);
  watched = bar;
}
