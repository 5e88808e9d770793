import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isWorldError } from '@folkmoot/core';
import { parameterLayout } from '@folkmoot/model';
import { type Charter, charterBytes, runId } from '@folkmoot/records';
import { CHARTER } from '@folkmoot/records/test-support';
import type { Artifacts } from './artifacts.ts';
import { fetchCharter } from './run-artifacts.ts';

const MODEL_SIZE = parameterLayout(CHARTER.model).elements;

/** What a joiner makes of `charter`, which its run's members give it. */
function read(charter: Charter): Promise<Charter> {
  const artifacts = { get: async () => charterBytes(charter) } as unknown as Artifacts;
  return fetchCharter(artifacts, runId(charter));
}

test('a charter is used where it says as many parameters as its model has, and refused otherwise', async () => {
  const honest = { ...CHARTER, parameters: MODEL_SIZE };
  assert.deepEqual(await read(honest), honest);
  for (const parameters of [MODEL_SIZE - 1, MODEL_SIZE + 1, 1])
    await assert.rejects(
      read({ ...CHARTER, parameters }),
      (error) => isWorldError(error, 'charter-invalid') && error.message.includes(`its model has ${MODEL_SIZE}`),
    );
});
