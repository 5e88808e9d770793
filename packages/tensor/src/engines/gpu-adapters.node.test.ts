import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { findAdapters } from './gpu-adapters.node.ts';

const roots: string[] = [];
after(() => Promise.all(roots.map((root) => rm(root, { recursive: true }))));

/** A machine's files, by path. */
async function linux(files: Record<string, string>, env = {}) {
  const root = await mkdtemp(join(tmpdir(), 'adapters-'));
  roots.push(root);
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  const { adapters, reason } = await findAdapters({ platform: 'linux', root, env });
  const short = adapters.map(({ drivers, ...adapter }) => ({
    ...adapter,
    drivers: drivers?.map((path) => path.replace(root, '')),
  }));
  return { adapters: short, reason };
}

const RADEON = { 'usr/share/vulkan/icd.d/radeon_icd.x86_64.json': '{}' };
const LAVAPIPE = { 'usr/share/vulkan/icd.d/lvp_icd.x86_64.json': '{}' };
const SWIFTSHADER = { 'usr/lib/chromium/vk_swiftshader_icd.json': '{}', 'usr/lib/chromium/other.json': '{}' };
const amd = (more: Record<string, string> = {}) => ({
  'sys/class/drm/renderD128/device/uevent': 'DRIVER=amdgpu\nPCI_CLASS=30000\nPCI_ID=1002:73BF\n',
  ...more,
});

test('a card in the kernel with a driver of its own comes first, and is given no software driver', async () => {
  const { adapters, reason } = await linux({
    ...amd({ 'sys/class/drm/renderD128/device/mem_info_vram_total': '17163091968\n' }),
    ...RADEON,
    ...LAVAPIPE,
  });
  assert.equal(reason, undefined);
  assert.deepEqual(adapters, [
    {
      name: 'AMD GPU 73bf',
      memoryBytes: 17_163_091_968,
      software: false,
      drivers: ['/usr/share/vulkan/icd.d/radeon_icd.x86_64.json'],
    },
    { name: 'software lavapipe', software: true, drivers: ['/usr/share/vulkan/icd.d/lvp_icd.x86_64.json'] },
  ]);
});

test('drivers without a card are no GPU', async () => {
  const { adapters, reason } = await linux({ ...RADEON, ...LAVAPIPE, ...SWIFTSHADER });
  assert.equal(reason, 'no GPU was found');
  assert.deepEqual(
    adapters.map(({ name, software }) => [name, software]),
    [
      ['software SwiftShader', true],
      ['software lavapipe', true],
    ],
  );
});

test('a card without a driver says what to install', async () => {
  const { adapters, reason } = await linux({ ...amd(), ...LAVAPIPE });
  assert.deepEqual(
    adapters.map(({ software }) => software),
    [true],
  );
  assert.match(reason!, /AMD GPU 73bf.*mesa-vulkan-drivers/);
});

test('cards of virtual machines, and those that NVIDIA drives twice, are not counted', async () => {
  const { adapters } = await linux({
    'sys/class/drm/renderD128/device/uevent': 'DRIVER=virtio-pci\nPCI_ID=1AF4:1050\n',
    'sys/class/drm/renderD129/device/uevent': 'DRIVER=nvidia\nPCI_ID=10DE:2684\n',
    'sys/class/drm/card0/device/uevent': 'DRIVER=amdgpu\nPCI_ID=1002:73BF\n',
    'proc/driver/nvidia/gpus/0000:01:00.0/information': 'Model: \t\t NVIDIA GeForce RTX 4090\nIRQ:   142\n',
    'etc/vulkan/icd.d/nvidia_icd.json': '{}',
  });
  assert.deepEqual(adapters, [
    { name: 'NVIDIA GeForce RTX 4090', software: false, drivers: ['/etc/vulkan/icd.d/nvidia_icd.json'] },
  ]);
});

test('drivers that the user names are the only ones', async () => {
  const files = { ...amd(), ...RADEON };
  const { adapters } = await linux(files, { VK_ICD_FILENAMES: '/opt/mine/vk_swiftshader_icd.json' });
  assert.deepEqual(adapters, [
    { name: 'software SwiftShader', software: true, drivers: ['/opt/mine/vk_swiftshader_icd.json'] },
  ]);
});

test('an unknown platform says so', async () => {
  assert.deepEqual(await findAdapters({ platform: 'aix', root: '/', env: {} }), {
    adapters: [],
    reason: 'not tried on aix yet',
  });
});
