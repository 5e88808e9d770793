/** Numbers as people read them. The same in every locale, so that scripts and tests can rely on them. */

/** `12,345`. */
export function formatCount(value: number): string {
  return Math.round(value)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ',');
}

const BYTE_UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** `1.2 MB`: powers of 1000, three digits at most. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < BYTE_UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit > 0 && value < 9.95 ? value.toFixed(1) : Math.round(value)} ${BYTE_UNITS[unit]}`;
}

/** `0:07`, `12:05`, `3:00:00`. */
export function formatDuration(durationMs: number): string {
  const seconds = Math.floor(durationMs / 1000);
  const parts = [Math.floor(seconds / 60) % 60, seconds % 60].map((part) => String(part).padStart(2, '0'));
  const hours = Math.floor(seconds / 3600);
  return hours > 0 ? `${hours}:${parts.join(':')}` : parts.join(':').replace(/^0/, '');
}

/** A loss, in nats: three decimals, or a dash before the first one. */
export function formatLoss(loss: number | undefined): string {
  return loss === undefined ? '–' : loss.toFixed(3);
}

const BLOCKS = '▁▂▃▄▅▆▇█';

/**
 * The course of `values` in at most `columns` block characters, scaled from their smallest to their largest.
 *
 * More values than columns are thinned evenly; the first and the last always show. What is not finite is a space.
 */
export function sparkline(values: readonly number[], columns: number): string {
  const shown = thin(values, columns);
  const finite = shown.filter(Number.isFinite);
  const low = Math.min(...finite);
  const span = Math.max(...finite) - low;
  return shown
    .map((value) => {
      if (!Number.isFinite(value)) return ' ';
      return BLOCKS[span === 0 ? 3 : Math.round(((value - low) / span) * (BLOCKS.length - 1))];
    })
    .join('');
}

function thin(values: readonly number[], count: number): number[] {
  if (values.length <= count) return [...values];
  if (count < 2) return values.slice(values.length - count);
  return Array.from({ length: count }, (_, i) => values[Math.round((i * (values.length - 1)) / (count - 1))]!);
}
