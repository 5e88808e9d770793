/** One record of every kind, an entry, a header, a charter and an invite with fixed contents: what frozen hashes are of. */
import {
  accountKey,
  deviceKey,
  type Hash,
  hashOf,
  revokeDevice,
  signBytes,
  toHex,
  vouchForDevice,
} from '@folkmoot/core';
import {
  blindOf,
  type Charter,
  certificateOf,
  claimTicket,
  claimTree,
  electorsId,
  encodeLink,
  type Header,
  headerId,
  type Invite,
  issueTicket,
  type Lease,
  leaseMark,
  openLink,
  type PedigreeLink,
  type RecordBody,
  type RecordKind,
  recordBytes,
  resultOf,
  rowsId,
  runId,
  segmentLink,
  signLease,
  signRecord,
  spineOf,
  startLink,
  stateRoot,
  type Trace,
  traceRoot,
  withdrawalBytes,
} from './index.ts';

export const id = (name: string): Hash => hashOf('sample', name);
export const KEY = deviceKey(new Uint8Array(32).fill(1));
export const OTHER = deviceKey(new Uint8Array(32).fill(2));
export const ACCOUNT = accountKey(new Uint8Array(32).fill(3));

export const CHARTER: Charter = {
  protocol: 1,
  name: 'sample run',
  creator: ACCOUNT.id,
  sequencer: KEY.id,
  nonce: id('nonce'),
  licence: 'CC0-1.0',
  model: {
    vocab: 4096,
    hidden: 128,
    layers: 4,
    heads: 4,
    kvHeads: 2,
    feedForward: 352,
    context: 128,
    ropeTheta: 10_000,
    normEpsilon: '0.00001',
    tied: true,
  },
  parameters: 1_000_000,
  tokenizer: id('tokenizer'),
  dataset: {
    manifest: id('manifest'),
    manifestBytes: 4321,
    trainRoot: id('train root'),
    holdoutRoot: id('hold-out root'),
    trainRows: 10_000,
    holdoutRows: 500,
  },
  programs: { train: id('train'), optimizer: id('optimizer'), norm: id('norm'), evaluate: id('evaluate') },
  initialBase: id('base'),
  zeroMoments: id('zero moments'),
  zeroError: id('zero error'),
  batchRows: 16,
  stepsPerRound: 20,
  stepsPerSegment: 5,
  optimizer: {
    kind: 'adamw',
    learningRate: '0.003',
    beta1: '0.9',
    beta2: '0.95',
    epsilon: '0.00000001',
    weightDecay: '0.1',
    decayEmbeddings: true,
    clipNorm: '1',
    zLoss: '0',
    warmupSteps: 20,
    joinerWarmupSteps: 4,
    schedule: { kind: 'constant' },
  },
  codec: { kind: 'sparse', chunk: 4096, keep: 64, errorDecay: '0.95' },
  aggregator: { kind: 'clipped-mean', outerRate: '1' },
  engine: { kind: 'native', tolerancePpm: 10_000, calibration: id('calibration') },
  timing: {
    openMs: 4000,
    trainMs: 1_800_000,
    revealMs: 30_000,
    witnessMs: 60_000,
    finalizeMs: 60_000,
    graceMs: 5000,
    openTraceMs: 60_000,
    auditMs: 300_000,
  },
  committee: { minMembers: 2, maxTrainers: 256, maxWitnesses: 16 },
  audit: { floorPpm: 50_000 },
  succession: { silenceMs: 20_000, everyRounds: 0 },
  credit: { perSegment: 100, vestingRounds: 20 },
};

export const RUN = runId(CHARTER);

export const HEADER: Header = {
  run: RUN,
  round: 3,
  prev: id('previous header'),
  logIndex: 77,
  stateRoot: id('state root'),
  base: id('base'),
  updateSetRoot: id('updates'),
  aggregate: id('aggregate'),
  nextBase: id('next base'),
  creditsRoot: id('credits'),
  electors: electorsId([OTHER.id, KEY.id].sort()),
};

const TICKET_SECRET = new Uint8Array(32).fill(4);
export const TICKET = issueTicket(KEY, TICKET_SECRET, { run: RUN, uses: 5, untilMs: 1_767_312_000_000 });

export const TRACE: Trace = sampleTrace();

const common = {
  run: RUN,
  round: 3,
  base: id('base'),
  device: KEY.id,
  seq: 9,
  seen: { index: 70, id: id('entry') },
  term: 2,
};
const audited = { ...common, trainer: OTHER.id, segment: 2 };
const commit = { ...common, seat: 1, traceRoot: traceRoot(TRACE), blind: blindOf(id('update'), id('salt'), KEY.id) };
const carried = { momentsIn: id('m in'), momentsOut: id('m out'), errorIn: id('e in'), errorOut: id('e out') };
const text = (body: RecordBody) => new TextDecoder().decode(recordBytes(signRecord(body, KEY)));
const headerBody = { kind: 'header', ...common, header: HEADER, preimage: id('preimage') } as const;
const LOCK = certificateOf(HEADER, [signRecord(headerBody, KEY)]);
const VOTE = {
  kind: 'vote',
  ...common,
  header: HEADER.prev,
  tail: 1,
  lock: { term: 2, header: headerId(HEADER) },
} as const;
const signed = <B extends RecordBody>(body: B) => ({ body, signature: signRecord(body, KEY).signature });
const commitBody = { kind: 'commit', ...commit, ...carried, engine: 'native' } as const;

export const LEASE: Lease = signLease(
  {
    kind: 'lease',
    run: RUN,
    round: 3,
    base: id('base'),
    device: OTHER.id,
    seat: 1,
    beat: 7,
    segment: 2,
    mark: leaseMark(TRACE.links[2]!),
  },
  OTHER,
);
const leaves = (count: number) => Array.from({ length: count }, (_, i) => id(`leaf ${i}`));

export const BODIES: { readonly [K in RecordKind]: Extract<RecordBody, { kind: K }> } = {
  join: { kind: 'join', ...common, account: ACCOUNT.id, vouch: vouchForDevice(ACCOUNT, KEY.id, RUN), name: 'Ada' },
  ready: { kind: 'ready', ...common, tip: id('tip'), engine: 'native', reset: false },
  leave: { kind: 'leave', ...common, abstains: true },
  commit: commitBody,
  reveal: { kind: 'reveal', ...common, update: id('update'), updateBytes: 1234, salt: id('salt') },
  attest: { kind: 'attest', ...common, draw: 0, updates: [id('update'), id('another')], preimage: id('preimage') },
  header: { kind: 'header', ...common, header: HEADER, preimage: id('preimage') },
  seal: { kind: 'seal', ...common, header: headerId(HEADER), prev: HEADER.prev },
  open: {
    kind: 'open',
    ...common,
    segment: 2,
    start: openLink(TRACE, 1),
    ...TRACE.states[0]!,
    previous: TRACE.links[0]!,
  },
  result: { kind: 'result', ...audited, result: resultOf(id('root'), id('salt'), KEY.id) },
  close: {
    kind: 'close',
    ...common,
    segment: 2,
    end: openLink(TRACE, 2),
    endParams: TRACE.states[1]!.params,
    endMoments: TRACE.states[1]!.moments,
    last: openLink(TRACE, 3),
    lastParams: TRACE.states[2]!.params,
    lastPrevious: TRACE.links[2]!,
    encode: openLink(TRACE, 4),
  },
  verdict: {
    kind: 'verdict',
    ...audited,
    outcome: 'within',
    part: 'segment',
    stateRoot: stateRoot(TRACE.states[1]!),
    salt: id('salt'),
    distancePpm: 120,
    tensor: 'layers.0.attention.q',
  },
  dispute: {
    kind: 'dispute',
    ...common,
    trainer: OTHER.id,
    accuser: KEY.id,
    turn: 3,
    move: { is: 'claim', list: id('list'), leaves: 33, spine: spineOf(claimTree(leaves(33))) },
  },
  fault: { kind: 'fault', ...common, first: text(commitBody), second: text({ ...commitBody, traceRoot: id('other') }) },
  revoke: {
    kind: 'revoke',
    ...common,
    account: ACCOUNT.id,
    revoked: OTHER.id,
    signature: revokeDevice(ACCOUNT, OTHER.id, RUN),
  },
  withdraw: {
    kind: 'withdraw',
    ...common,
    issuer: KEY.id,
    key: TICKET.ticket.key,
    signature: signBytes(KEY, withdrawalBytes(RUN, TICKET.ticket.key)),
  },
  lapse: {
    kind: 'lapse',
    ...common,
    seats: [
      { trainer: OTHER.id, lease: LEASE },
      { trainer: KEY.id, lease: null },
    ],
  },
  alive: { kind: 'alive', ...common, seat: 1 },
  reproduced: { kind: 'reproduced', ...audited, link: TRACE.links[2]! },
  score: { kind: 'score', ...common, scores: [{ trainer: OTHER.id, help: -120 }] },
  tick: { kind: 'tick', ...common },
  vote: VOTE,
  succeed: { kind: 'succeed', ...common, votes: [signed(VOTE)], lock: LOCK },
};

/** A run that goes on from a header of another. */
export const FORKED: Charter = {
  ...CHARTER,
  initialBase: HEADER.nextBase,
  sharePolicy: { kind: 'carry', basisPoints: 7500 },
  lineage: {
    parent: RUN,
    header: headerId(HEADER),
    round: HEADER.round,
    pedigree: { id: id('pedigree'), bytes: 12_345 },
    credits: { id: id('credit rows'), bytes: 678 },
  },
};

export const PEDIGREE_LINK: PedigreeLink = {
  certificate: certificateOf(HEADER, [signRecord(BODIES.seal, KEY)]),
  electors: [OTHER.id, KEY.id].sort(),
  gone: [[signed(BODIES.leave)], [signed(BODIES.revoke), signed(BODIES.join)]],
};

export const INVITE: Invite = {
  run: RUN,
  name: 'sample run',
  addresses: ['/ip4/192.0.2.7/tcp/4001/p2p/12D3KooWSample'],
  header: id('header'),
};

/** With everything that an invite may carry. */
export const FULL_INVITE: Invite = {
  ...INVITE,
  ticket: { ...TICKET, secret: toHex(TICKET_SECRET) },
  mirrors: ['https://mirror.example/folkmoot'],
};

/** A join that shows a ticket. */
export const ADMITTED_JOIN: Extract<RecordBody, { kind: 'join' }> = {
  ...BODIES.join,
  admission: claimTicket(TICKET, TICKET_SECRET, KEY.id),
};

function sampleTrace(): Trace {
  const states = [1, 2, 3].map((segment) => ({ params: id(`params ${segment}`), moments: id(`moments ${segment}`) }));
  const links = [startLink(id('base'), id('seed'), 1, id('m in'))];
  for (const [i, state] of states.entries()) links.push(segmentLink(links[i]!, state, rowsId(id('seed'), 1, i + 1)));
  links.push(encodeLink(links[3]!, id('update'), id('e in'), id('e out')));
  return { links, salts: links.map((_, i) => id(`salt ${i}`)), states };
}
