import { test } from 'tap'
import { linkRulesSchema } from '../../../src/core/passes.ts'
import { quoteText } from '../../../src/engine/session.ts'
import { openScratch, refusalOf } from '../scratch.ts'
import { decide, type OracleRecord } from './oracle.ts'
import { link, placesOf } from './populations.ts'

const rules = linkRulesSchema.parse({})
const spine = { agency: 'spine', isSpine: true, isDuplicateFree: true }
const open = { ...spine, isDuplicateFree: false }
const one = { agency: 'one', isSpine: false, isDuplicateFree: false }
const two = { agency: 'two', isSpine: false, isDuplicateFree: true }

type Keys = Partial<Record<'k1' | 'k2' | 'k3' | 'k4' | 'k5', string>>

function record(
  source: Pick<OracleRecord, 'agency' | 'isSpine' | 'isDuplicateFree'>,
  serial: string,
  keys: Keys,
): OracleRecord {
  return { ...source, serial, ...keys }
}

type Case = {
  name: string
  records: OracleRecord[]
  notices?: [string, string][]
  rules?: typeof rules
  /** Serial of a record that is not of the spine → pass, outcome, and the spine serial it is linked to. */
  wanted: Record<string, [pass: number, outcome: string, to?: string]>
}

const a = record(spine, 'a', { k1: '1', k2: 'kim', k3: 'kim x', k4: 'b' })
const cases: Case[] = [
  {
    name: 'K1 and K4 equal are perfect, a missing K4 a match, another K4 a conflict',
    records: [
      a,
      record(one, 'p', { k1: '1', k4: 'b' }),
      record(one, 'm', { k1: '1' }),
      record(one, 'c', { k1: '1', k4: 'other' }),
    ],
    wanted: { p: [1, 'perfect', 'a'], m: [2, 'match', 'a'], c: [3, 'conflict'] },
  },
  {
    name: 'another K4 is a conflict, though its number is on one serial of each agency',
    records: [
      a,
      record(one, 'c', { k1: '1', k4: 'other' }),
      record(two, 'p', { k1: '1', k4: 'b' }),
    ],
    wanted: { c: [3, 'conflict'], p: [1, 'perfect', 'a'] },
  },
  {
    name: 'a notice joins two numbers, but not two births',
    records: [a, record(one, 'n', { k1: '2', k4: 'b' }), record(two, 'c', { k1: '2', k4: 'x' })],
    notices: [['1', '2']],
    wanted: { n: [4, 'match', 'a'], c: [3, 'conflict'] },
  },
  {
    name: 'more numbers than one person has are joined by no notice',
    records: [a, record(one, 'n', { k1: '2', k4: 'b' })],
    notices: [
      ['1', '2'],
      ['2', '3'],
      ['3', '4'],
    ],
    rules: linkRulesSchema.parse({ noticeNumbersMax: 3 }),
    wanted: { n: [9, 'none'] },
  },
  {
    name: 'K3 links where a number is missing, and two persons by it are a conflict',
    records: [
      a,
      record(spine, 'z', { k1: '9', k3: 'kim x', k4: 'b' }),
      record(spine, 'y', { k1: '8', k3: 'lee', k4: 'b' }),
      record(one, 'm', { k3: 'lee', k4: 'b' }),
      record(one, 'c', { k3: 'kim x', k4: 'b' }),
    ],
    wanted: { m: [5, 'match', 'y'], c: [5, 'conflict'] },
  },
  {
    name: 'K5 links to a person through the other agency of the two, and never within one',
    records: [
      a,
      record(one, 'p', { k1: '1', k4: 'b', k5: 'claim' }),
      record(two, 'm', { k5: 'claim' }),
      record(one, 'own', { k5: 'claim' }),
    ],
    wanted: { p: [1, 'perfect', 'a'], m: [5, 'match', 'a'], own: [9, 'none'] },
  },
  {
    name: 'K2 links where it is unique, and is possible where it is not',
    records: [
      a,
      record(spine, 'z', { k1: '9', k2: 'lee', k4: 'b' }),
      record(one, 'm', { k2: 'kim', k4: 'b' }),
      record(two, 'l1', { k2: 'lee', k4: 'b' }),
      record(two, 'l2', { k2: 'lee', k4: 'b' }),
    ],
    wanted: { m: [6, 'match', 'a'], l1: [7, 'possible'], l2: [7, 'possible'] },
  },
  {
    name: 'K2 with two numbers anywhere is not unique',
    records: [a, record(one, 'm', { k2: 'kim' }), record(two, 'o', { k1: '7', k2: 'kim' })],
    wanted: { m: [7, 'possible'], o: [8, 'possible'] },
  },
  {
    name: 'two numbers are never one person by name, unless two weaker keys agree and the project opted in',
    records: [a, record(one, 'p', { k1: '7', k2: 'kim', k3: 'kim x', k4: 'b' })],
    wanted: { p: [8, 'possible'] },
  },
  {
    name: 'with two weaker keys what is possible is a match by the wish of the project',
    records: [
      a,
      record(one, 'p', { k1: '7', k2: 'kim', k3: 'kim x', k4: 'b' }),
      record(two, 'q', { k1: '6', k2: 'kim', k4: 'b' }),
    ],
    rules: linkRulesSchema.parse({ promotePossible: true }),
    wanted: { p: [8, 'match', 'a'], q: [8, 'possible'] },
  },
  {
    name: 'two serials of an agency with one a person are a conflict',
    records: [a, record(two, 'p', { k1: '1', k4: 'b' }), record(two, 'q', { k1: '1', k4: 'b' })],
    wanted: { p: [3, 'conflict'], q: [3, 'conflict'] },
  },
  {
    name: 'a weaker pass does not add a second serial where there is one a person',
    records: [a, record(two, 'p', { k1: '1', k4: 'b' }), record(two, 'q', { k3: 'kim x' })],
    wanted: { p: [1, 'perfect', 'a'], q: [5, 'conflict'] },
  },
  {
    name: 'a person without a number does not get two of them',
    records: [
      record(spine, 'a', { k3: 'kim x' }),
      record(one, 'p', { k1: '1', k3: 'kim x' }),
      record(two, 'q', { k1: '2', k3: 'kim x' }),
    ],
    wanted: { p: [5, 'conflict'], q: [5, 'conflict'] },
  },
  {
    name: 'a weaker link does not lead to the next',
    records: [a, record(one, 'p', { k3: 'kim x', k5: 'claim' }), record(two, 'q', { k5: 'claim' })],
    wanted: { p: [5, 'match', 'a'], q: [9, 'none'] },
  },
]

for (const { name, records, notices = [], rules: own = rules, wanted } of cases) {
  test(name, async (t) => {
    const { session, path } = await openScratch(t, { memoryMiB: 128, threads: 1 })
    const places = await placesOf(
      session,
      await link(session, path('run'), { records, notices }, { rules: own }),
    )
    const { decisions } = decide(records, notices, own)
    for (const [serial, [pass, outcome, to]] of Object.entries(wanted)) {
      const at = records.findIndex((one) => one.serial === serial)
      const place = places.get(`${records[at]?.agency} ${serial}`)
      t.equal(place?.ordinal ?? null, places.get(`spine ${to}`)?.ordinal ?? null, serial)
      t.equal(decisions[at]?.pass, pass, 'the oracle says the pass')
      t.equal(decisions[at]?.outcome, outcome, 'the oracle says the outcome')
      if (to !== undefined) t.equal(place?.pass, pass)
    }
  })
}

test('quarantines a number on thirty people and keeps those of the spine as persons', async (t) => {
  const { session, path } = await openScratch(t)
  const records = Array.from({ length: 30 }, (_, index) =>
    record(index < 4 ? spine : one, `s${index}`, { k1: 'hub', k4: `${index % 5}` }),
  )
  const result = await link(session, path('hub'), { records, notices: [] }, { rules })
  t.same(result.report.hubsByKey, { K1: 1, K2: 0, K3: 0, K5: 0 })
  t.equal(result.persons, 4)
  t.equal(result.report.agencies['one']?.quarantined, 26)
  t.equal(result.maps['one']?.linked, 0)
  t.equal(result.maps['spine']?.linked, 4)
})

test('tells how far shared keys would reach, the pairs that are possible, and their patterns', async (t) => {
  const { session, path } = await openScratch(t)
  const records = [
    record(open, 'a', { k1: '1', k2: 'kim', k4: 'b' }),
    record(open, 'b', { k1: '2', k2: 'kim', k4: 'b' }),
    record(open, 'c', { k1: '3', k2: 'lee', k4: 'b' }),
    record(one, 'p', { k1: '3', k2: 'kim', k4: 'other' }),
    record(one, 'q', { k1: '4', k2: 'kim', k4: 'b' }),
    record(one, 'r', { k1: '3', k4: 'b' }),
  ]
  const result = await link(session, path('run'), { records, notices: [] }, { rules })
  t.same(result.report.spinePairs, { possible: 1, match: 0 })
  t.same(result.report.clusters, { 3: 1 }, 'K2 joins a and b, p joins them with c')
  t.equal(result.report.cases, 2)
  const found = await session.rows(`
    select agency, serial, spine_serial as spine from read_parquet(${quoteText(result.indexFile)})
    where kind = 'case' order by all`)
  t.same(found, [
    { agency: 'one', serial: 'p', spine: 'c' },
    { agency: 'one', serial: 'q', spine: 'a' },
    { agency: 'one', serial: 'q', spine: 'b' },
    { agency: 'spine', serial: 'a', spine: 'b' },
  ])
  t.same(
    result.worklist.map(({ caseId, ...one }) => one),
    [
      { kind: 'merge', pass: null, pattern: null, candidates: 1, nameShared: null, wave: 1 },
      { kind: 'conflict', pass: 3, pattern: '=..x.', candidates: 1, nameShared: null, wave: 1 },
      ...Array(2).fill({
        kind: 'possible',
        pass: 8,
        pattern: 'x=-=-',
        candidates: 2,
        nameShared: 4,
        wave: 1,
      }),
    ].map((one) => ({ ...one, agency: one.kind === 'merge' ? 'spine' : 'one' })),
  )
  t.same(result.report.change.cases, { possible: 2, conflict: 1, merge: 1, doubted: 0 })
  const places = await placesOf(session, result)
  t.equal(places.get('one r')?.pattern, '=..=.')
})

test('tells how many serials can be found at all, and how many are of a person once more', async (t) => {
  const { session, path } = await openScratch(t)
  const records = [
    a,
    record(one, 'p', { k1: '1', k4: 'b' }),
    record(one, 'q', { k1: '1', k4: 'b' }),
    record(one, 'n', { k2: 'lee', k4: 'b' }),
    record(one, 'veto', { k4: 'b' }),
    record(one, 'nothing', {}),
  ]
  const { report } = await link(session, path('run'), { records, notices: [] }, { rules })
  const counts = { serials: 5, valid: 3, linked: 2, duplicates: 1 }
  t.match(report.agencies['one'], { ...counts, withKey: { K1: 2, K2: 1, K4: 4 } })
  t.match(report.deliveries, [
    { agency: 'one', ...counts },
    { agency: 'spine', valid: 1 },
  ])
})

test('says how far it is, agency by agency', async (t) => {
  const { session, path } = await openScratch(t)
  const records = [a, record(one, 'p', { k1: '1' }), record(two, 'q', { k1: '2' })]
  const told: unknown[] = []
  const onProgress = (progress: unknown): void => void told.push(progress)
  await link(session, path('run'), { records, notices: [] }, { rules, onProgress })
  const wanted = [0, 1, 2, 3].map((placed) => ({ agencies: 3, persons: 1, placed }))
  t.same(told, wanted)
})

test('refuses a serial in two parts and a linkage without one spine', async (t) => {
  const twice: Record<string, OracleRecord[]> = {
    spine: [record(spine, 's', { k1: '1' }), record(spine, 's', { k1: '2' })],
    one: [a, record(one, 's', { k1: '3' }), record(one, 's', { k1: '4' })],
  }
  const looked = [record(one, 's', { k1: '1', k4: 'x' }), record(one, 's', { k1: '1', k4: 'y' })]
  for (const [agency, records] of [...Object.entries(twice), ['one', [a, ...looked]] as const]) {
    const { session, path } = await openScratch(t)
    const population = { records: [...records], notices: [] }
    const refused = await refusalOf(link(session, path('twice'), population, { rules, files: 2 }))
    t.same([refused.code, refused.details], ['input-malformed', { agency, serials: 1 }])
  }
  const second = await openScratch(t)
  const none = await refusalOf(
    link(
      second.session,
      second.path('none'),
      { records: [record(one, 's', { k1: '1' })], notices: [] },
      { rules },
    ),
  )
  t.equal(none.code, 'state-conflict')
})
