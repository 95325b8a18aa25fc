/// <reference lib="dom" />
/** In the browser, on every page: says how long ago times were, and lets commands be copied. */

const STEPS: readonly (readonly [seconds: number, unit: Intl.RelativeTimeFormatUnit])[] = [
  [86_400, 'day'],
  [3_600, 'hour'],
  [60, 'minute'],
  [1, 'second'],
];
const REFRESH_MS = 10_000;
const format = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });

function ago(instant: string): string {
  const seconds = Math.min(0, Math.round((Date.parse(instant) - Date.now()) / 1000));
  const [size, unit] = STEPS.find(([step]) => -seconds >= step) ?? [1, 'second'];
  return format.format(Math.round(seconds / size), unit);
}

function tellTimes(): void {
  document.querySelectorAll<HTMLTimeElement>('time[datetime]').forEach((element) => {
    element.dataset.absolute ??= element.textContent;
    element.textContent = `${ago(element.dateTime)} (${element.dataset.absolute})`;
  });
}

function offerCopies(): void {
  document.querySelectorAll('.command pre').forEach((block) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = 'Copy';
    button.addEventListener('click', () => {
      navigator.clipboard.writeText(block.textContent).then(
        () => (button.textContent = 'Copied'),
        () => (button.textContent = 'Select it and copy'),
      );
    });
    block.after(button);
  });
}

tellTimes();
offerCopies();
setInterval(tellTimes, REFRESH_MS);
document.addEventListener('salus:blocks', tellTimes);

export {};
