/** Facts of this machine without which a measured number means nothing. */
import { readFileSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { projectRoot } from './project.ts';

export type MachineFacts = Readonly<
  Record<'processor' | 'cores' | 'memory' | 'system' | 'node' | 'onnxruntime', string>
>;

export function machineFacts(): MachineFacts {
  return {
    processor: os.cpus()[0]?.model.trim() ?? 'unknown',
    cores: `${os.availableParallelism()} (load ${os.loadavg()[0]!.toFixed(1)})`,
    memory: `${(os.totalmem() / 2 ** 30).toFixed(1)} GiB, ${(os.freemem() / 2 ** 30).toFixed(1)} GiB free`,
    system: `${os.type()} ${os.release()} ${os.arch()}`,
    node: process.versions.node,
    onnxruntime: ['onnxruntime-node', 'onnxruntime-web'].map((name) => `${name} ${versionOf(name)}`).join(', '),
  };
}

/** Read, not imported: loading the library would change the memory that is measured. */
function versionOf(name: string): string {
  const manifest = join(projectRoot, 'packages', 'tensor', 'node_modules', name, 'package.json');
  try {
    return JSON.parse(readFileSync(manifest, 'utf8')).version;
  } catch {
    return 'absent';
  }
}
