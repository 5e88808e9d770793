/** What the doctor finds out about a machine, as `doctor --json` prints it. */
import type { PresetName } from '@folkmoot/model';
import type { EngineKind } from '@folkmoot/tensor';

export interface MachineDescription {
  /** `linux x64`. */
  readonly platform: string;
  /** `24.21.0`. */
  readonly node: string;
  readonly processor: string;
  /** Processors that this process may use: what members use unless told otherwise. */
  readonly cores: number;
  /** Processes that want to run, averaged over a minute; 0 where the system does not say. */
  readonly load: number;
  readonly memoryBytes: number;
  /** What could be used without making other programs swap. */
  readonly availableBytes: number;
  readonly home: string;
  /** Free for this account where the home is or would be; absent where it cannot be told. */
  readonly diskFreeBytes?: number;
  readonly homeWritable: boolean;
}

/** An engine that works, or the reason why it does not. */
export type EngineFinding =
  | { readonly works: true; readonly name: string }
  | { readonly works: false; readonly reason: string; readonly help?: string };

export interface Engines {
  readonly native: EngineFinding;
  readonly exact: EngineFinding;
  readonly webgpu: EngineFinding;
  readonly cuda: EngineFinding;
}

/** What about a second of work showed. */
export interface Speed {
  /** Rate of matrix products, 10⁹ additions and multiplications a second. */
  readonly productGflops: number;
  /** One training step of `tiny`. */
  readonly tinyStepMs: number;
}

/** A preset on this machine. */
export interface PresetForecast {
  readonly preset: PresetName;
  readonly parameters: number;
  readonly tokensPerSecond: number;
  /** The inner steps of one round. */
  readonly roundMs: number;
  /** What a member needs at most. */
  readonly memoryBytes: number;
  /** Whether it fits only with recomputation, which takes about a third longer. */
  readonly recomputes: boolean;
  readonly fits: boolean;
}

export interface Problem {
  readonly problem: string;
  /** What to do about it: a command where there is one. */
  readonly help: string;
  /** Whether no member can run here until it is solved. */
  readonly fatal: boolean;
}

export interface Examination {
  readonly machine: MachineDescription;
  readonly engines: Engines;
  /** The engine that was measured, and how fast it is; absent where none works. */
  readonly measured?: { readonly engine: EngineKind } & Speed;
  readonly forecasts: readonly PresetForecast[];
  readonly problems: readonly Problem[];
  readonly canRun: boolean;
}
