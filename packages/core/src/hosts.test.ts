import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LOOPBACK, placeOf } from './hosts.ts';

test('a place is an IPv4 address, half of an IPv6 one, or this machine', () => {
  const same: [string, string][] = [
    ['203.0.113.7', '203.0.113.7'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0db8:0001:0002::1', '2001:db8:1:2::/64'],
    ['2001:DB8:1:2::ffff', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['[2001:db8::1]', '2001:db8:0:0::/64'],
    ['::1', LOOPBACK],
    ['127.0.0.1', LOOPBACK],
    ['127.8.8.8', LOOPBACK],
    ['::ffff:127.0.0.1', LOOPBACK],
  ];
  for (const [address, place] of same) assert.equal(placeOf(address), place, address);
  assert.notEqual(placeOf('2001:db8:1:2::1'), placeOf('2001:db8:1:3::1'));
});
