/** I2: the same log gives the same base everywhere, and headers say what the log says. */
import type { Hash } from '@folkmoot/core';
import type { Event } from '@folkmoot/protocol';
import { PRETEND_PARAMETERS } from '../pretend-work.ts';
import { type Checker, type Finding, first, type Look, type Truth } from './checker.ts';
import { canonical, hashParts, merkle, sha } from './second-opinion.ts';

export function bases({ charter, run, pretends, isHonest }: Truth): Checker {
  let base = charter.initialBase;
  let previous = base;
  let lastHeader: Hash = run;
  let witnessedAt = -1;
  const byRound = new Map<number, Hash>();

  /** Where the round starts: with momentum beyond the base, along its last change. */
  const start = () =>
    charter.aggregator.momentum === undefined || previous === base ? base : filled(hashParts('start', base, previous));

  function take(event: Event, { entry, state }: Look): Finding {
    if (event.kind === 'included') {
      witnessedAt = entry.index;
      return expected(state);
    }
    if (event.kind !== 'finalized') return undefined;
    const { content, updates, trainers, round } = event;
    const is = (name: string, found: unknown, wanted: unknown) =>
      found === wanted ? undefined : `the header of round ${round} says ${name} ${found}; it is ${wanted}`;
    const next = pretends ? pretended(start(), updates) : undefined;
    const finding =
      is('run', content.run, run) ??
      is('round', content.round, round) ??
      is('base', content.base, base) ??
      is('prev', content.prev, lastHeader) ??
      is('logIndex', content.logIndex, witnessedAt) ??
      is('updateSetRoot', content.updateSetRoot, merkle(updates)) ??
      (next && is('aggregate', content.aggregate, next.aggregate)) ??
      (next && is('nextBase', content.nextBase, next.nextBase)) ??
      is('id', event.header, sha(canonical(content)));
    if (finding) return finding;
    if (trainers.join() !== [...trainers].sort().join()) return `round ${round} aggregates out of order`;
    previous = base;
    base = content.nextBase;
    lastHeader = event.header;
    byRound.set(round, base);
    return undefined;
  }

  function expected({ charter: _charter, ledger: _ledger, ...rest }: Look['state']): Finding {
    const wanted = sha(canonical({ ...rest, round: { ...rest.round, expected: null } }));
    const found = rest.round.expected?.stateRoot;
    return found === wanted ? undefined : `the expected header names state ${found}; its hash is ${wanted}`;
  }

  return {
    invariant: 'I2',
    claim: 'the same log gives the same base on every member',
    after: (look) => {
      const finding = first(look.events, (event) => take(event, look));
      if (finding) return finding;
      return look.state.base === base ? undefined : `the state’s base is ${look.state.base}; headers lead to ${base}`;
    },
    told(person, notice) {
      if (!isHonest(person.id)) return undefined;
      if (notice.kind === 'desync')
        return `round ${notice.round} comes out as ${notice.mine}, signed was ${notice.theirs}`;
      if (notice.kind !== 'adopted') return undefined;
      const wanted = byRound.get(notice.round);
      if (wanted !== undefined && wanted !== notice.base)
        return `adopted ${notice.base} in round ${notice.round}, not ${wanted}`;
      const held = person.machine.disk.artifacts.get(notice.base);
      // A bit may have flipped on the disk; whoever reads it sees that.
      return held && held.length !== 4 * PRETEND_PARAMETERS && pretends
        ? `the base of round ${notice.round} has ${held.length} bytes`
        : undefined;
    },
  };
}

/** What pretended training aggregates to, computed by hand. */
function pretended(start: Hash, updates: readonly Hash[]): { aggregate: Hash; nextBase: Hash } {
  const aggregate = hashParts('aggregate', ...updates);
  const seed = hashParts('next', start, aggregate);
  return { aggregate, nextBase: filled(seed) };
}

/** The hash of the parameters that pretended training fills from a seed. */
function filled(seed: Hash): Hash {
  const blocks = [0, 1].map((i) => Buffer.from(hashParts('fill', seed, i), 'hex'));
  const bytes = Buffer.concat(blocks).subarray(0, 4 * PRETEND_PARAMETERS);
  return sha(bytes.map((byte, i) => (i % 2 === 1 ? 0x3c | (byte & 0x80) : byte)));
}
