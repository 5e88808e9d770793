/**
 * What a simulated run came to, told again from the creator's journal by a stranger, and what must hold of it.
 *
 * Checkers read the signed log alone, so a member that deceives itself about the state does not deceive them.
 */
import assert from 'node:assert/strict';
import { balanceOf, type Settlement } from '@folkmoot/ledger';
import { retell } from '@folkmoot/node';
import type { Event, Share, State } from '@folkmoot/protocol';
import { segmentsPerRound } from '@folkmoot/records';
import type { SimPerson, SimRun } from './sim-run.ts';

export interface Story {
  readonly state: State;
  readonly events: readonly Event[];
  readonly settlements: readonly Settlement[];
}

/** The story of the log on the creator's disk; `shares` are what accounts bring into a fork. */
export function storyOf(run: SimRun, shares?: readonly Share[]): Story {
  const lines = run.creator.machine.disk.journals.get('log')!.split('\n').slice(0, -1);
  const events: Event[] = [];
  let state: State | undefined;
  for (const told of retell(run.charter, lines, shares)) {
    events.push(...told.events);
    state = told.state;
  }
  assert(state, 'somebody has said something');
  const settlements = events.flatMap((event) => (event.kind === 'settled' ? [event.settlement] : []));
  return { state, events, settlements };
}

/** Invariants that hold of every story at every moment. Returns the story. */
export function checkStory(run: SimRun, honest: readonly SimPerson[] = run.people, shares?: readonly Share[]): Story {
  const story = storyOf(run, shares);
  checkFates(story);
  checkCredits(run, story);
  checkBases(run, story);
  const ids = new Set(honest.map((person) => person.id));
  for (const { device, outcome, round } of story.settlements)
    assert.ok(!(ids.has(device) && outcome === 'mismatch'), `an honest member’s round ${round} ended ${outcome}`);
  for (const event of story.events)
    assert.ok(!(event.kind === 'fault' && ids.has(event.device)), 'nobody honest contradicts itself');
  const handlerErrors = run.hub.handlerErrors.map(({ protocol, error }) => `${protocol}: ${error}`);
  assert.deepEqual(handlerErrors, [], 'no handler throws, whatever arrives');
  return story;
}

/** Members that run have one state, deep down; waits until it is so. */
export async function checkAgreement(run: SimRun, people: readonly SimPerson[] = run.people): Promise<void> {
  const atRest = () => people.every((person) => person.state!.head.id === run.creator.state!.head.id);
  assert.ok(await run.until(atRest, 120_000), 'logs come together');
  for (const person of people) assert.deepEqual(person.state, run.creator.state);
}

/** Every seat of a round that is over and audited has exactly one fate. */
function checkFates({ events, settlements, state }: Story): void {
  const fates = new Map<string, number>();
  for (const { round, device } of settlements)
    fates.set(`${round} ${device}`, (fates.get(`${round} ${device}`) ?? 0) + 1);
  for (const event of events) {
    const seated = event.kind === 'assigned' ? event.trainers : event.kind === 'handed-over' ? [event.standIn] : [];
    for (const device of seated) {
      if (!('round' in event) || event.round === state.round.number) continue;
      const place: string = `${event.round}:${device}`;
      const isAudited = state.audits[place] && !state.audits[place].again;
      const open: number = isAudited || state.reproductions[`reproduction ${place}`] ? 1 : 0;
      const name: string = `${event.round} ${device}`;
      assert.equal((fates.get(name) ?? 0) + open, 1, `the seat of ${device} in round ${event.round}`);
      fates.delete(name);
    }
  }
  assert.deepEqual([...fates.keys()], [], 'no fate without a seat');
}

function checkCredits(run: SimRun, { events, settlements, state }: Story): void {
  const { perSegment } = run.charter.credit;
  const skipped = new Map<string, number>();
  for (const event of events)
    if (event.kind === 'handed-over') skipped.set(`${event.round} ${event.standIn}`, event.skip);
  for (const person of run.people) {
    const paid = settlements.filter(({ account }) => account === person.account.id);
    const segments = paid.reduce((sum, settlement) => sum + settlement.segments, 0);
    assert.equal(balanceOf(state.ledger, person.account.id).earned, segments * perSegment);
    for (const { segments, outcome, round, device } of paid) {
      const whole = segmentsPerRound(run.charter) - (skipped.get(`${round} ${device}`) ?? 0);
      assert.ok(outcome === 'reproduced' || [0, whole].includes(segments));
    }
  }
}

/** Headers chain bases, and whoever adopted a base computed the one that was signed. */
function checkBases(run: SimRun, { events, state }: Story): void {
  let base = run.charter.initialBase;
  const ofRound = new Map<number, string>();
  for (const event of events) {
    if (event.kind !== 'finalized') continue;
    assert.equal(event.content.base, base);
    base = event.content.nextBase;
    ofRound.set(event.round, base);
  }
  assert.equal(state.base, base);
  for (const person of run.people)
    for (const notice of person.notices) {
      assert.notEqual(notice.kind, 'desync');
      if (notice.kind === 'adopted' && ofRound.has(notice.round)) assert.equal(notice.base, ofRound.get(notice.round));
    }
}
