/** What a fetch may expect: how large an artifact is, and who is likely to hold it. */
import type { DeviceId } from '@folkmoot/core';
import { muonElements, parameterLayout } from '@folkmoot/model';
import type { State } from '@folkmoot/protocol';
import type { Charter } from '@folkmoot/records';

/** Sizes of the artifacts of a state: fixed by the charter, known before a byte arrives. */
export function artifactSizes(charter: Charter): { params: number; moments: number; error: number } {
  const { parameters, optimizer, model } = charter;
  const moments = 2 * (2 * parameters - muonElements(optimizer, parameterLayout(model)));
  return { params: 4 * parameters, moments, error: 2 * parameters };
}

/** Devices that are likely to hold what `device` made: itself, then who orders the log now. */
export function likely({ sequencer }: Pick<State, 'sequencer'>, device: DeviceId): DeviceId[] {
  return [device, sequencer];
}
