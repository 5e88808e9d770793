import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isPrivateAddress, LOOPBACK, placeOf } from './hosts.ts';

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

test('private networks are told from the internet', () => {
  const inside =
    '127.0.0.1 10.1.2.3 172.16.0.1 172.31.9.9 192.168.1.1 100.64.0.1 169.254.1.1 ::1 fe80::1 fd00::1 0.0.0.0';
  const outside = '8.8.8.8 172.32.0.1 192.169.0.1 100.128.0.1 203.0.113.1 2001:db8::1';
  for (const address of inside.split(' ')) assert.ok(isPrivateAddress(address), address);
  for (const address of outside.split(' ')) assert.ok(!isPrivateAddress(address), address);
});
