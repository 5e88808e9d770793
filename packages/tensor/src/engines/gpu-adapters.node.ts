/**
 * Which GPUs this machine has, without opening one: ONNX Runtime takes the first adapter that the system offers and does
 * not say which. So we look at what the kernel knows, and give it only drivers of the sort that was asked for.
 */
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** A GPU, or a driver that pretends to be one on the processor. */
export interface GpuAdapter {
  readonly name: string;
  readonly software: boolean;
  readonly memoryBytes?: number;
  /** Vulkan's manifests to start it with; absent where the system has one driver (Metal). */
  readonly drivers?: readonly string[];
}

/** Where to look; another root than `/` in tests. */
export interface MachineView {
  readonly platform: NodeJS.Platform;
  readonly root: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

const THIS_MACHINE: MachineView = { platform: process.platform, root: '/', env: process.env };

/** Hardware first. `reason` says in one line why there is no hardware. */
export async function findAdapters(
  machine: MachineView = THIS_MACHINE,
): Promise<{ adapters: GpuAdapter[]; reason?: string }> {
  if (machine.platform === 'darwin') return { adapters: [{ name: 'Metal', software: false }] };
  if (machine.platform !== 'linux') return { adapters: [], reason: `not tried on ${machine.platform} yet` };
  const [gpus, drivers] = await Promise.all([linuxGpus(machine), vulkanDrivers(machine)]);
  const hardware = drivers.filter((manifest) => !isSoftware(manifest));
  const adapters: GpuAdapter[] = drivers
    .filter(isSoftware)
    .map((manifest) => ({ name: softwareName(manifest), software: true, drivers: [manifest] }));
  if (gpus.length === 0) return { adapters, reason: 'no GPU was found' };
  if (hardware.length === 0)
    return { adapters, reason: `no Vulkan driver is installed for ${gpus[0]!.name} (Debian: mesa-vulkan-drivers)` };
  return { adapters: [...gpus.map((gpu) => ({ ...gpu, software: false, drivers: hardware })), ...adapters] };
}

type Gpu = Pick<GpuAdapter, 'name' | 'memoryBytes'>;

async function linuxGpus(machine: MachineView): Promise<Gpu[]> {
  const nvidia = await nvidiaGpus(machine);
  const nodes = await list(join(machine.root, 'sys/class/drm'));
  const others = await Promise.all(
    nodes.filter((node) => /^renderD\d+$/.test(node)).map((node) => drmGpu(join(machine.root, 'sys/class/drm', node))),
  );
  return [...nvidia, ...others.filter((gpu) => gpu !== undefined)];
}

/** NVIDIA's own driver. */
export async function nvidiaGpus({ root }: Pick<MachineView, 'root'> = THIS_MACHINE): Promise<Gpu[]> {
  const folder = join(root, 'proc/driver/nvidia/gpus');
  const cards = await list(folder);
  if (cards.length === 0) return [];
  const sizes = root === '/' ? await nvidiaMemory() : [];
  return Promise.all(
    cards.map(async (card, i) => {
      const text = await read(join(folder, card, 'information'));
      const memoryBytes = sizes[i];
      const name = /^Model:\s*(.+)$/m.exec(text)?.[1] ?? 'NVIDIA GPU';
      return memoryBytes ? { name, memoryBytes } : { name };
    }),
  );
}

async function nvidiaMemory(): Promise<number[]> {
  const query = ['--query-gpu=memory.total', '--format=csv,noheader,nounits'];
  const { stdout } = await promisify(execFile)('nvidia-smi', query, { timeout: 5000 }).catch(() => ({ stdout: '' }));
  return stdout
    .trim()
    .split('\n')
    .map((line) => Number(line) * 2 ** 20 || 0);
}

const VENDORS: Readonly<Record<string, string>> = { '1002': 'AMD', '8086': 'Intel', '10DE': 'NVIDIA' };

/** A card with a driver in the kernel. One that the machine only imagines (of a virtual machine) has no known vendor. */
async function drmGpu(node: string): Promise<Gpu | undefined> {
  const uevent = await read(join(node, 'device/uevent'));
  const [, vendor, device] = /^PCI_ID=(\w+):(\w+)$/m.exec(uevent) ?? [];
  // NVIDIA's own driver has been asked already.
  if (/^DRIVER=nvidia$/m.test(uevent) || !vendor || !VENDORS[vendor]) return undefined;
  const product = (await read(join(node, 'device/product_name'))).trim();
  const memoryBytes = Number(await read(join(node, 'device/mem_info_vram_total'))) || undefined;
  const name = product || `${VENDORS[vendor]} GPU ${device!.toLowerCase()}`;
  return memoryBytes ? { name, memoryBytes } : { name };
}

/** Vulkan's driver manifests: those that the user names, else those installed. */
async function vulkanDrivers({ root, env }: MachineView): Promise<string[]> {
  const named = env.VK_DRIVER_FILES ?? env.VK_ICD_FILENAMES;
  if (named) return named.split(':').filter((path) => path !== '');
  const folders = ['etc', 'usr/local/share', 'usr/share'].map((folder) => join(root, folder, 'vulkan/icd.d'));
  if (root === '/') folders.push(join(homedir(), '.local/share/vulkan/icd.d'));
  const installed = await Promise.all(folders.map((folder) => manifests(folder)));
  const browsers = ['usr/lib/chromium', 'usr/lib/chromium-browser', 'opt/google/chrome', 'snap/chromium/current'];
  const brought = await Promise.all(browsers.map((folder) => manifests(join(root, folder))));
  return [...brought.flat(), ...installed.flat()];
}

async function manifests(folder: string): Promise<string[]> {
  const files = await list(folder);
  return files
    .filter((file) => file.endsWith('.json') && /icd/.test(join(folder, file)))
    .map((file) => join(folder, file));
}

/** Mesa's lavapipe (`lvp`) and SwiftShader compute on the processor, at a hundredth of the speed of `native`. */
function isSoftware(manifest: string): boolean {
  return /lvp|lavapipe|llvmpipe|swiftshader/i.test(manifest);
}

function softwareName(manifest: string): string {
  return /swiftshader/i.test(manifest) ? 'software SwiftShader' : 'software lavapipe';
}

async function list(folder: string): Promise<string[]> {
  return (await readdir(folder).catch(() => [])).sort();
}

async function read(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
}
