const fields = {
  year: 'numeric',
  month: 'short',
  day: 'numeric',
  hour: 'numeric',
  minute: '2-digit',
  timeZoneName: 'short',
} as const;
const local = new Intl.DateTimeFormat(undefined, fields);
const exact = new Intl.DateTimeFormat(undefined, { ...fields, second: '2-digit' });

/** Converts times to the phone's time zone. The server's UTC time stays in the `title` attribute. */
export function convertToLocalTimes(root: ParentNode): void {
  for (const time of root.querySelectorAll<HTMLTimeElement>('time[datetime]:not([title])')) {
    time.title = time.textContent;
    time.textContent = (time.closest('dl') === null ? local : exact).format(new Date(time.dateTime));
  }
}

export function formatLocalTime(rfc3339: string): string {
  return local.format(new Date(rfc3339));
}

/** Formats the remaining seconds as `4:59` or `2 h 5 min`. */
export function formatTimeLeft(left: number): string {
  if (left < 3600) return `${Math.floor(left / 60)}:${String(left % 60).padStart(2, '0')}`;
  return `${Math.floor(left / 3600)} h ${Math.floor((left % 3600) / 60)} min`;
}

/** Updates every countdown, and disables expired forms. @param announce announces a message to screen readers */
export function updateCountdowns(announce?: (text: string) => void): void {
  for (const countdown of document.querySelectorAll<HTMLElement>('[data-expires]')) {
    const left = Math.ceil((Number(countdown.dataset.expires) - Date.now()) / 1000);
    const after = countdown.dataset.short === undefined ? ' left' : '';
    const text = left <= 0 ? 'expired' : `${formatTimeLeft(left)}${after}`;
    if (countdown.textContent !== text) countdown.textContent = text;
    const form = countdown.closest('form');
    if (form === null) continue;
    countdown.classList.toggle('soon', left <= 60);
    if (left <= 0) disableForm(form);
    if (left === 60 && form.dataset.warned === undefined) {
      form.dataset.warned = 'yes';
      announce?.('One minute left to decide.');
    }
  }
}

function disableForm(form: HTMLFormElement): void {
  for (const button of form.querySelectorAll<HTMLButtonElement>('.bar button')) button.disabled = true;
}
