/** The chain of headers: how each finished round ended, who had a say in it, and whether its certificate holds. */
import type { DeviceId, Hash } from '@folkmoot/core';
import { retell } from '@folkmoot/node';
import { AncestryReader, type Event, readLinks } from '@folkmoot/protocol';
import type { Certificate, Header } from '@folkmoot/records';
import { JournalReader } from '@folkmoot/store';
import type { OpenRun } from './open-run.ts';
import { Story } from './story.ts';

export interface ChainedHeader {
  readonly round: number;
  readonly id: Hash;
  readonly header: Header;
  /** The entry that ended the round. */
  readonly entry: number;
  readonly atMs: number;
  readonly term: number;
  /** Who ordered the log then. */
  readonly sequencer: DeviceId;
  /** Whom the header before it names. */
  readonly named: readonly DeviceId[];
  /** Who of them still counted when the round ended. */
  readonly electors: readonly DeviceId[];
  readonly signed: readonly DeviceId[];
  readonly sealed: readonly DeviceId[];
  readonly certificate: Certificate;
  /** Why the certificate does not hold; null where it does. */
  readonly broken: string | null;
}

type End = Extract<Event, { kind: 'finalized' }>;

/** Reads the log once more and checks each header against the one before. Throws `log-damaged`. */
export async function headerChain(run: OpenRun): Promise<{ story: Story; chain: readonly ChainedHeader[] }> {
  // First the lines: the story, which is read later, has all of them and perhaps more.
  const lines = await new JournalReader(run.folder.journal).read();
  const story = await Story.read(run);
  const reader = new AncestryReader();
  const ends: (Pick<ChainedHeader, 'entry' | 'atMs' | 'sequencer'> & { event: End })[] = [];
  let sequencer = run.charter.sequencer;
  for (const { entry, events, state } of retell(run.charter, lines, run.shares)) {
    reader.take(entry, events, state);
    const event = events.find((each): each is End => each.kind === 'finalized');
    if (event) ends.push({ entry: entry.index, atMs: entry.atMs, sequencer, event });
    ({ sequencer } = state);
  }
  const checked = [...readLinks(run.charter, reader.founding, reader.links)];
  const chain = ends.map(({ event, ...place }, i): ChainedHeader => {
    const { round, header: id, content: header, electors, seals: sealed, term } = event;
    const files = story.rounds.all.get(round)?.signed ?? [];
    const signed = [...new Set(files.filter((file) => file.header === id).map(({ device }) => device))];
    const { certificate, electors: named } = reader.links[i]!;
    const link = checked[i]!;
    const broken = link.ok ? null : link.reason;
    return { ...place, round, id, header, term, named, electors, signed, sealed, certificate, broken };
  });
  return { story, chain };
}
