/** Nobody can switch a run off: whoever vanishes for ever, and at whatever moment, the table of decision 29 holds. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Hash, utf8 } from '@folkmoot/core';
import { type Charter, quorumOf } from '@folkmoot/records';
import { simCharter } from './sim-charter.ts';
import { type SimPerson, SimRun } from './sim-run.ts';
import { checkStory } from './sim-story.ts';

/** Longer than any election takes here. */
const LONG_MS = 900_000;

for (const [members, gone, goesOn] of [
  [2, 1, false],
  [3, 1, true],
  [4, 1, true],
  [5, 1, true],
  [3, 2, false],
  [4, 2, false],
  [5, 2, false],
] as const)
  test(`${members} members, ${gone} gone for ever at once, the creator first: the run ${goesOn ? 'goes on' : 'waits, and goes on when one is back'}`, async () => {
    const { run, seals } = await started(`gone ${gone} of ${members}`, members);
    assert.ok(await run.until(() => run.creator.state!.finalized >= 1));
    const { finalized, electors } = run.creator.state!;
    assert.equal(electors.length, members);
    const [back, ...dead] = run.people.slice(0, gone).reverse();
    for (const person of [back!, ...dead]) run.crash(person);
    const left = run.people.slice(gone);
    const isOn = () => left.every(({ state }) => state!.finalized >= finalized + 3);
    assert.equal(await run.until(isOn, goesOn ? LONG_MS : 300_000), goesOn);
    if (!goesOn) {
      for (const { state } of left) assert.ok(state!.finalized <= finalized + 1 && state!.term === 1);
      await run.clock.drive(run.start(back!));
      // Where the creator is back alone, the others have voted, and stand by that.
      assert.ok(await run.until(isOn, LONG_MS), run.troubles().slice(-3).join('\n'));
    } else for (const { state } of left) assert.ok(state!.term > 1 && state!.sequencer !== run.creator.id);
    await agreed(run, left);
    seals.check();
  });

test('one after another they vanish for ever, whoever orders the log first, until two are left', async () => {
  const { run, seals } = await started('one after another', 5);
  const left = [...run.people];
  while (left.length > 2) {
    const { finalized, sequencer } = left[0]!.state!;
    // A header without those who are gone names the next electors.
    const isOn = () =>
      left.every(({ state }) => state!.finalized >= finalized + 2 && state!.electors.length === left.length);
    assert.ok(await run.until(isOn, LONG_MS), `${left.length} are left\n${run.troubles().slice(-3).join('\n')}`);
    const next = left.findIndex(({ id }) => id === sequencer);
    run.crash(left.splice(Math.max(0, next), 1)[0]!);
  }
  const { finalized } = left[0]!.state!;
  const isOn = () => left.every(({ state }) => state!.finalized >= finalized + 2 && state!.electors.length === 2);
  assert.ok(await run.until(isOn, LONG_MS), 'two of three electors name two');
  seals.check();
});

test('two of four fall silent one after the other and come back: the creator may vanish for ever all the same', async () => {
  const committee = { minMembers: 3, maxTrainers: 256, maxWitnesses: 16 };
  const { run, seals } = await started('silent one after the other', 4, { committee });
  const [creator, steady, first, second] = run.people as [SimPerson, SimPerson, SimPerson, SimPerson];
  const asleep: SimPerson[] = [];
  for (const person of [first, second]) {
    const { finalized } = creator.state!;
    const isTraining = () => creator.state!.finalized > finalized && creator.state!.round.phase === 'train';
    assert.ok(await run.until(isTraining), 'a round begins without those who are silent');
    person.machine.life!.pause();
    asleep.push(person);
  }
  const { finalized } = creator.state!;
  assert.ok(await run.until(() => creator.state!.finalized > finalized && steady.state!.finalized > finalized));
  for (const person of asleep) person.machine.life!.resume();
  run.crash(creator);
  const left = [steady, first, second];
  const isOn = () => left.every(({ state }) => state!.finalized >= finalized + 3 && state!.electors.length === 3);
  assert.ok(await run.until(isOn, LONG_MS), run.troubles().slice(-3).join('\n'));
  await agreed(run, left);
  seals.check();
});

test('one of two leaves while the third is silent: when it is back they go on, and need nobody else', async () => {
  const { run, seals } = await started('left alone', 3);
  const [creator, other, gone] = run.people as [SimPerson, SimPerson, SimPerson];
  const isTraining = () => creator.state!.finalized >= 1 && creator.state!.round.phase === 'train';
  assert.ok(await run.until(isTraining));
  const { finalized } = creator.state!;
  run.crash(gone);
  const isNext = () => creator.state!.finalized > finalized && other.state!.round.phase === 'train';
  assert.ok(await run.until(isNext));
  assert.equal(creator.state!.electors.length, 3);
  await run.clock.drive(other.member!.leave());
  await run.clock.run(run.clock.now() + 60_000);
  run.crash(other);
  await run.clock.drive(run.start(other));
  const left = [creator, other];
  const isOn = () => left.every(({ state }) => state!.finalized >= finalized + 4 && state!.electors.length === 2);
  assert.ok(await run.until(isOn, LONG_MS), run.troubles().slice(-3).join('\n'));
  await agreed(run, left);
  seals.check();
});

test('the role goes from one to the next after so many rounds, and past one who has vanished', async () => {
  const everyRounds = 2;
  const { run, seals } = await started('rotation', 4, { succession: { silenceMs: 20_000, everyRounds } });
  const [, ...others] = run.people;
  const witness = others[0]!;
  const terms = () => witness.events.flatMap((event) => (event.kind === 'term' ? [event] : []));
  assert.ok(await run.until(() => terms().length >= 3, LONG_MS));
  assert.deepEqual(
    terms().map(({ why }) => why),
    ['rotated', 'rotated', 'rotated'],
  );
  for (const { former, sequencer } of terms()) assert.notEqual(former, sequencer);
  const ends = witness.events.flatMap((event) => (event.kind === 'finalized' ? [event.term] : []));
  for (const [i, term] of ends.entries()) assert.equal(term, 1 + Math.floor(i / everyRounds), `round ${i + 1}`);
  run.crash(run.creator);
  assert.ok(await run.until(() => others.every(({ state }) => state!.finalized >= 14), LONG_MS));
  assert.ok(new Set(terms().map(({ sequencer }) => sequencer)).size >= 3, 'it goes around');
  assert.ok(
    terms()
      .slice(4)
      .every(({ sequencer }) => sequencer !== run.creator.id),
  );
  await agreed(run, others);
  seals.check();
});

for (const who of ['the sequencer', 'another'] as const)
  test(`${who} is killed at any await of a round’s end: one base is sealed, and all go on from it`, async () => {
    const { run, seals } = await started(`killed at its end ${who}`, 4);
    const isEnd = ({ state }: SimPerson) => ['finalize', 'seal'].includes(state!.round.phase);
    for (let awaits = 1; awaits <= 61; awaits += 12) {
      const { sequencer } = run.people[1]!.state!;
      const isVictim = ({ id }: SimPerson) => (id === sequencer) === (who === 'the sequencer');
      const victim = run.people.find(isVictim)!;
      assert.ok(await run.until(() => isEnd(victim), LONG_MS));
      let isDead = false;
      victim.machine.life!.lightFuse(awaits, () => {
        isDead = true;
        run.crash(victim);
      });
      assert.ok(await run.until(() => isDead, 60_000));
      await run.clock.run(run.clock.now() + (awaits % 24) === 1 ? 500 : 40_000);
      await run.clock.drive(run.start(victim));
      await goesOn(run, `killed at await ${awaits}`);
    }
    await agreed(run, run.people);
    seals.check();
  });

for (const [what, side] of [
  ['the sequencer alone', 1],
  ['two and two', 2],
] as const)
  test(`a partition into ${what} and the others, after any record of a round’s end: one base is sealed`, async () => {
    const { run, seals } = await started(`partition ${what}`, 4);
    for (let records = 0; records <= 9; records += 3) {
      const { sequencer } = run.people[1]!.state!;
      const leader = run.people.find(({ id }) => id === sequencer)!;
      const others = run.people.filter((person) => person !== leader);
      const isEnd = () => leader.state!.round.phase === 'finalize';
      assert.ok(await run.until(isEnd, LONG_MS));
      const { length } = leader.member!.log;
      await run.until(() => leader.member!.log.length >= length + records, 60_000);
      run.hub.partition([leader, ...others.slice(0, side - 1)].map(({ id }) => id));
      await run.clock.run(run.clock.now() + 60_000);
      run.hub.heal();
      await goesOn(run, `parted after ${records} records`);
    }
    await agreed(run, run.people);
    seals.check();
  });

test('a lock of another round is no lock: one elector that shows it does not keep the others from voting', async () => {
  const { run, seals } = await started('false lock', 7);
  const liar = run.people[6]!;
  const certificate = () => run.creator.member!.log.certificate();
  assert.ok(await run.until(() => run.creator.state!.round.phase === 'seal' && certificate() !== undefined));
  const lock = certificate()!;
  const { finalized } = run.creator.state!;
  assert.ok(await run.until(() => liar.state!.finalized > finalized && liar.state!.round.phase === 'train'));
  // What it has on disk is what it says that it has sealed, about the round at hand.
  const { lastHeader } = liar.state!;
  const kept = { after: lastHeader, term: 0, signed: null, lock, vote: null, abstains: false };
  run.crash(liar);
  liar.machine.disk.cells.set('promises', utf8(JSON.stringify(kept)));
  await run.clock.drive(run.start(liar));
  assert.equal(liar.state!.lastHeader, lastHeader);
  run.crash(run.creator);
  // One is late, so that the liar's vote is among the first five.
  const late = run.people[5]!.machine.life!;
  late.pause();
  await run.clock.run(run.clock.now() + 3 * run.charter.succession.silenceMs);
  late.resume();
  const left = run.people.slice(1, 6);
  assert.ok(await run.until(() => left.every(({ state }) => state!.finalized > finalized + 2), 120_000));
  seals.check();
});

async function started(seed: string, members: number, change: Partial<Charter> = {}) {
  const run = new SimRun(seed, simCharter(change));
  for (let i = 0; i < members; i++) run.add();
  const seals = new Seals(run);
  await run.startAll();
  return { run, seals };
}

async function goesOn(run: SimRun, when: string): Promise<void> {
  const most = Math.max(...run.people.map(({ state }) => state!.finalized));
  const isOn = () => run.people.every(({ state }) => state!.finalized > most);
  assert.ok(await run.until(isOn, LONG_MS), `${when}\n${run.troubles().slice(-3).join('\n')}`);
}

async function agreed(run: SimRun, people: readonly SimPerson[]): Promise<void> {
  const isAlike = () => people.every(({ state }) => state!.head.id === people[0]!.state!.head.id);
  assert.ok(await run.until(isAlike, 300_000), 'logs come together');
  for (const { state } of people) assert.deepEqual(state, people[0]!.state);
  if (people.includes(run.creator)) checkStory(run);
}

/** Whatever anybody has sealed on any branch, and the headers with which rounds ended anywhere. */
class Seals {
  readonly #sealed = new Map<string, Set<string>>();
  readonly #ended = new Map<number, Set<Hash>>();
  readonly #electors = new Map<Hash, number>();

  constructor(run: SimRun) {
    run.watch = (person, notice) => {
      if (notice.kind !== 'entry') return;
      const { body } = notice.entry.record;
      if (body.kind === 'seal') this.#add(this.#sealed, `${body.prev} ${body.header}`, body.device);
      for (const event of notice.events) {
        if (event.kind !== 'finalized') continue;
        this.#add(this.#ended, event.round, event.header);
        this.#electors.set(event.content.prev, event.electors.length);
      }
      void person;
    };
  }

  check(): void {
    for (const [round, headers] of this.#ended) assert.equal(headers.size, 1, `round ${round} has ended twice`);
    const quorate = new Map<string, string>();
    for (const [place, devices] of this.#sealed) {
      const [prev, header] = place.split(' ') as [Hash, Hash];
      if (devices.size < quorumOf(this.#electors.get(prev) ?? Number.POSITIVE_INFINITY)) continue;
      assert.equal(quorate.get(prev) ?? header, header, 'a quorum has sealed two headers after one');
      quorate.set(prev, header);
    }
  }

  #add<K>(sets: Map<K, Set<string>>, key: K, value: string): void {
    sets.set(key, (sets.get(key) ?? new Set()).add(value));
  }
}
