/** What a person sees of a run: plain data, made by the node, drawn by the files beside this one. */

export interface ProgressState {
  readonly run: { readonly name: string; readonly id: string };
  /** What the run is doing, such as `training`. */
  readonly phase: string;
  /** The round that is open, from 1. */
  readonly round: number;
  /** The last round, where one was asked for. */
  readonly roundsTarget?: number;
  readonly elapsedMs: number;
  /** Mean training loss of each ended round, nats per token. */
  readonly trainLoss: readonly number[];
  /** Loss on the hold-out after each ended round, evaluated by this node. */
  readonly holdoutLoss: readonly number[];
  /** All members together. */
  readonly tokensPerSecond: number;
  /** All members on this machine together, since the start. */
  readonly sentBytes: number;
  readonly auditBytes: number;
  readonly trainSeconds: number;
  readonly auditSeconds: number;
  readonly cpuSeconds: number;
  /** What per-step all-reduce of float32 gradients would have sent for the same steps. */
  readonly allReduceBytes: number;
  readonly members: readonly MemberView[];
}

export interface MemberView {
  readonly name: string;
  /** Account or device id; its first digits are shown. */
  readonly id: string;
  /** `honest`, or what the member was started as: `free-rider`. */
  readonly role: string;
  /** A few words, such as `training 40 %`. */
  readonly state: string;
  readonly credits: number;
  readonly audits: { readonly matched: number; readonly failed: number; readonly pending: number };
}

export interface ProgressView extends ProgressState {
  /** The last few sentences, oldest first. */
  readonly events: readonly string[];
}
