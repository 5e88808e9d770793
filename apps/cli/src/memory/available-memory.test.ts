import assert from 'node:assert/strict';
import { test } from 'node:test';
import { availableMemory } from './available-memory.ts';

const MEMINFO = 'MemTotal:       16000000 kB\nMemFree:         1000000 kB\nMemAvailable:    8000000 kB\n';
const files = (more: Record<string, string>) => async (path: string) =>
  ({ '/proc/meminfo': MEMINFO, ...more })[path as '/proc/meminfo'];

test('without groups it is what the machine has left', async () => {
  assert.equal(await availableMemory(files({})), 8000000 * 1024);
  assert.equal(await availableMemory(files({ '/proc/self/cgroup': '0::/a\n' })), 8000000 * 1024);
});

test('the least of all groups around the process; cached files are free, and `max` is no limit', async () => {
  const group = (path: string, max: string, current: number, cached: number) => ({
    [`/sys/fs/cgroup${path}/memory.max`]: `${max}\n`,
    [`/sys/fs/cgroup${path}/memory.current`]: `${current}\n`,
    [`/sys/fs/cgroup${path}/memory.stat`]: `anon 1\nactive_file 5\ninactive_file ${cached}\n`,
  });
  const inner = { '/proc/self/cgroup': '0::/a/b\n', ...group('/a/b', 'max', 900, 0) };
  assert.equal(await availableMemory(files(inner)), 8000000 * 1024);
  assert.equal(await availableMemory(files({ ...inner, ...group('/a', '1000', 900, 50) })), 150);
  const both = { ...inner, ...group('/a', '1000', 900, 50), ...group('', '500', 400, 20) };
  assert.equal(await availableMemory(files(both)), 120);
  assert.equal(await availableMemory(files({ ...inner, ...group('/a', '100', 900, 0) })), 0);
});

test('the first version of control groups', async () => {
  const read = files({
    '/proc/self/cgroup': '5:cpu,cpuacct:/x\n4:memory:/docker/1\n',
    '/sys/fs/cgroup/memory/docker/1/memory.limit_in_bytes': '3000\n',
    '/sys/fs/cgroup/memory/docker/1/memory.usage_in_bytes': '1000\n',
    '/sys/fs/cgroup/memory/docker/1/memory.stat': 'inactive_file 1\ntotal_inactive_file 7\n',
    '/sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n',
    '/sys/fs/cgroup/memory/memory.usage_in_bytes': '1000\n',
  });
  assert.equal(await availableMemory(read), 2007);
});

test('this machine has some memory left', async () => {
  assert.ok((await availableMemory()) > 1e6);
});
