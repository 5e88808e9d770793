/** How often a false round is found: on the real reducer and the real draws, beside the closed formulas. */
import { hashOf } from '@folkmoot/core';
import { auditorOn, auditorRing, drawSegment } from '../../packages/protocol/src/draw.ts';
import { ScriptedMember, ScriptedRun } from '../../packages/protocol/src/scripted.test-support.ts';
import { policy, SEGMENTS } from './profit.ts';
import { Player, STRATEGIES } from './strategies.ts';

export interface Frequency {
  readonly found: number;
  readonly of: number;
  /** What the formula says. */
  readonly expected: number;
}

/** A round with `faked` of `SEGMENTS` segments false, audited with probability `ppm`: found with probability p·faked/K. */
export function roundsFound(ppm: number, faked: number, rounds: number): Frequency {
  const members = Array.from({ length: 5 }, (_, i) => new ScriptedMember(i + 1));
  const charter = { ...policy({ audit: { floorPpm: ppm } }), nonce: hashOf('detection', ppm, faked) };
  const run = new ScriptedRun(charter, members, false);
  for (const member of members) run.join(member);
  const strategy = {
    ...STRATEGIES[0]!,
    make: () => ({ faked: Array.from({ length: faked }, (_, i) => i + 1), encodes: true }),
  };
  for (const member of members) new Player(member, strategy, new Set());
  // Everybody stays at the floor: the probability is what is looked at.
  run.watch = () => {
    for (const { id } of members) if (run.state.members[id]) run.state.members[id].cleanAudits = 1_000_000;
  };
  while (run.state.finalized < rounds) {
    let acted = false;
    for (const member of members) acted = run.act(member) || acted;
    if (!acted && !run.pass()) break;
  }
  // What is tainted was decided by the round before.
  const fates = run.settlements().filter(({ outcome }) => ['matched', 'not-drawn', 'mismatch'].includes(outcome));
  const found = fates.filter(({ outcome }) => outcome === 'mismatch').length;
  return { found, of: fates.length, expected: ((ppm / 1e6) * faked) / SEGMENTS };
}

/** Whoever fakes `faked` segments of each of `rounds` rounds is found in one of them with 1 − (1 − p·faked/K)^rounds. */
export function historiesFound(ppm: number, faked: number, rounds: number, histories: number): Frequency {
  const run = new ScriptedRun(policy({ audit: { floorPpm: ppm } }), [new ScriptedMember(1)], false);
  run.join(run.members[0]!);
  const { id } = run.members[0]!;
  run.state.members[id]!.cleanAudits = 1_000_000;
  let found = 0;
  for (let history = 0; history < histories; history++)
    for (let round = 0; round < rounds; round++) {
      const segment = drawSegment(run.state, hashOf('history', ppm, faked, history, round), id);
      if (segment === undefined || segment > faked) continue;
      found++;
      break;
    }
  return { found, of: histories, expected: 1 - (1 - ((ppm / 1e6) * faked) / SEGMENTS) ** rounds };
}

/** Both auditors of a trainer are among its `friends` of `members` in all: (f choose 2)/(n−1 choose 2). */
export function bothFriends(members: number, friends: number, draws: number): Frequency {
  const all = Array.from({ length: members }, (_, i) => new ScriptedMember(i + 1));
  const run = new ScriptedRun(policy(), all, false);
  for (const member of all) run.join(member);
  const trainer = all[0]!.id;
  const inLeague = new Set(all.slice(1, 1 + friends).map(({ id }) => id));
  let found = 0;
  for (let draw = 0; draw < draws; draw++) {
    const auditSeed = hashOf('friends', members, friends, draw);
    const ring = auditorRing(run.state, auditSeed);
    const first = auditorOn(ring, run.state, { auditSeed, trainer, auditors: [] })!;
    const second = auditorOn(ring, run.state, { auditSeed, trainer, auditors: [first] })!;
    if (inLeague.has(first) && inLeague.has(second)) found++;
  }
  return { found, of: draws, expected: (friends * (friends - 1)) / ((members - 1) * (members - 2)) };
}
