/** Internet addresses as places: what one person can have many of counts once. */

/** Where everything that is on this machine comes from. */
export const LOOPBACK = 'loopback';

/**
 * The place of an IP address: an IPv4 address, the first 64 bits of an IPv6 one (a household gets at least so many), or
 * `loopback`. Text that is no address is its own place.
 */
export function placeOf(address: string): string {
  const plain = address.replace(/^\[|\]$|%.*$/g, '').toLowerCase();
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(plain);
  if (mapped) return placeOf(mapped[1]!);
  if (plain === '::1' || /^127\./.test(plain)) return LOOPBACK;
  return plain.includes(':') ? prefix64(plain) : plain;
}

/** Whether an IP address is of this machine or of a network that the internet does not reach. */
export function isPrivateAddress(address: string): boolean {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '').toLowerCase();
  const [a = 0, b = 0] = plain.split('.').map(Number);
  if (plain.includes(':')) return /^(::1?$|f[cd]|fe[89ab])/.test(plain);
  return (
    [0, 10, 127].includes(a) ||
    (a === 100 && b >= 64 && b < 128) ||
    (a === 169 && b === 254) ||
    (a === 172 && b >= 16 && b < 32) ||
    (a === 192 && b === 168)
  );
}

function prefix64(address: string): string {
  const [front = '', back] = address.split('::');
  const head = front === '' ? [] : front.split(':');
  const tail = back === undefined || back === '' ? [] : back.split(':');
  const zeros = back === undefined ? 0 : Math.max(0, 8 - head.length - tail.length);
  const groups = [...head, ...Array.from({ length: zeros }, () => '0'), ...tail].slice(0, 4);
  return `${groups.map((group) => group.replace(/^0+(?=.)/, '')).join(':')}::/64`;
}
