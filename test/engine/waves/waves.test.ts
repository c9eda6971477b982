import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Test, test } from 'tap'
import { linkRulesSchema } from '../../../src/core/passes.ts'
import type { OracleRecord } from '../linkage/oracle.ts'
import { refusalOf } from '../scratch.ts'
import { openProject, type Project, type Run } from './project.ts'

const spine = { agency: 'spine', isSpine: true, isDuplicateFree: false }
const strict = { agency: 'spine', isSpine: true, isDuplicateFree: true }
const one = { agency: 'one', isSpine: false, isDuplicateFree: false }
const deaths = { agency: 'deaths', isSpine: false, isDuplicateFree: true }

type Keys = Partial<Record<'k1' | 'k2' | 'k3' | 'k4' | 'k5', string>>
type Source = Pick<OracleRecord, 'agency' | 'isSpine' | 'isDuplicateFree'>
const record = (source: Source, serial: string, keys: Keys): OracleRecord => ({
  ...source,
  serial,
  ...keys,
})

async function project(t: Test, rules = {}): Promise<Project> {
  const dir = await mkdtemp(join(tmpdir(), 'gyeol-waves-'))
  t.teardown(() => rm(dir, { recursive: true, force: true }))
  return openProject(dir, linkRulesSchema.parse(rules))
}

const of = (run: Run, ...records: string[]): (string | undefined)[] =>
  records.map((name) => run.personOf.get(name))

test('a person keeps their number when the registry corrects theirs, and it goes to nobody else', async (t) => {
  const { deliver, link } = await project(t)
  await deliver({
    records: [record(spine, 'a', { k1: '1', k4: 'x' }), record(one, 'p', { k1: '1' })],
    notices: [],
  })
  const first = await link()
  const [a] = of(first, 'spine a')
  t.same(of(first, 'one p'), [a])
  await deliver({
    records: [
      record(spine, 'a', { k1: '2', k4: 'x' }),
      record(spine, 'b', { k1: '1', k4: 'y' }),
      record(one, 'q', { k1: '2', k4: 'x' }),
    ],
    notices: [],
  })
  const second = await link()
  const [b] = of(second, 'spine b')
  t.same(of(second, 'spine a', 'one q'), [a, a])
  t.not(b, a, 'the number of a is given to nobody else, though b has the K1 that founded it')
  t.same(of(second, 'one p'), [b], 'and what has the K1 goes with who really has it')
  const { founded, kept, merged, split, attached, moved } = second.linked.report.change
  t.same(
    { founded, kept, merged, split, attached, moved },
    { founded: 1, kept: 1, merged: 0, split: 0, attached: 1, moved: 1 },
  )
})

test('a notice makes one person of two; the one that was released first is left, and the other is never seen again', async (t) => {
  const { deliver, link } = await project(t)
  await deliver({
    records: [record(spine, 'a', { k1: '1', k4: 'x' }), record(one, 'p', { k1: '1' })],
    notices: [],
  })
  await link()
  await deliver({
    records: [record(spine, 'b', { k1: '2', k4: 'x' }), record(deaths, 'd', { k1: '2', k4: 'x' })],
    notices: [],
  })
  const second = await link({ releasedVersions: [1] })
  const [a, b] = of(second, 'spine a', 'spine b')
  t.not(a, b)
  await deliver({ records: [record(one, 'q', { k1: '2' })], notices: [['1', '2']] })
  const third = await link({ releasedVersions: [1] })
  t.same(of(third, 'spine a', 'spine b', 'one p', 'one q', 'deaths d'), Array(5).fill(a))
  t.same(third.changes, [{ person: b, other: a, reason: 'merge', version: 3 }])
  t.equal(third.linked.persons, 1)
  const { kept, merged } = third.linked.report.change
  t.same({ kept, merged }, { kept: 1, merged: 1 })
  t.same(of(await link(), 'spine b'), [a], 'and so it stays')
})

for (const source of [spine, strict]) {
  const free = source.isDuplicateFree ? 'free of duplicates' : 'with duplicates'
  test(`a number corrected to another person's is held back until people decide (${free})`, async (t) => {
    const { deliver, link } = await project(t)
    await deliver({
      records: [
        record(source, 'a', { k1: '1', k4: 'x' }),
        record(source, 'b', { k1: '2', k4: 'x' }),
        record(one, 'p', { k1: '1', k4: 'x' }),
        record(one, 'q', { k1: '2', k4: 'x' }),
      ],
      notices: [],
    })
    const first = await link()
    const [a, b] = of(first, 'spine a', 'spine b')
    await deliver({ records: [record(source, 'b', { k1: '1', k4: 'x' })], notices: [] })
    const second = await link()
    t.same(of(second, 'spine a', 'one p', 'spine b', 'one q'), [a, a, b, b], 'nobody lost anything')
    t.equal(second.linked.report.change.held, 1)
    const caseId = second.cases.get('spine a b') ?? ''
    t.same(
      second.linked.worklist.map((each) => [each.caseId, each.kind]),
      [[caseId, 'merge']],
    )

    const joined = await link({ verdicts: [{ caseId, verdict: 'must-link' }] })
    const [survivor] = of(joined, 'spine a')
    t.same(of(joined, 'spine b', 'one p'), [survivor, survivor])
    t.same(joined.linked.report.change.merged, 1)
    const [change] = joined.changes
    t.same([change?.reason, change?.other], ['merge', survivor])
    t.same(joined.linked.worklist, [], 'what is decided is no case')

    const apart = await link({ verdicts: [{ caseId, verdict: 'cannot-link' }] })
    const numbers = of(apart, 'spine a', 'spine b')
    t.same(numbers[0], survivor, 'decided otherwise: the first record keeps the number')
    t.not(numbers[1], survivor)
    t.not(numbers[1], change?.person, 'and the number that was given up stays so')
    t.equal(apart.linked.report.change.split, 1)
    t.same(
      apart.linked.worklist.map((each) => [each.kind, each.agency]),
      Array(2).fill(['conflict', 'one']),
      'whose number it is, nobody knows yet',
    )

    const undecided = await link({ verdicts: [{ caseId, verdict: 'undecided' }] })
    t.same(of(undecided, 'spine a', 'spine b'), numbers, 'taken back, and two they stay')
    t.equal(undecided.linked.worklist.filter(({ kind }) => kind === 'merge').length, 1)
  })
}

test('people decide who a record is, against its own keys as well', async (t) => {
  const { deliver, link } = await project(t)
  await deliver({
    records: [
      record(spine, 'a', { k1: '1', k2: 'kim', k4: 'x' }),
      record(spine, 'b', { k1: '2', k2: 'lee', k4: 'y' }),
      record(one, 'p', { k1: '3', k2: 'kim', k4: 'x' }),
      record(one, 'q', { k1: '2', k4: 'z' }),
      record(one, 'r', { k1: '2', k4: 'y' }),
    ],
    notices: [],
  })
  const first = await link()
  const [a, b] = of(first, 'spine a', 'spine b')
  t.same(of(first, 'one p', 'one q', 'one r'), [undefined, undefined, b])
  const verdicts = [
    { caseId: first.cases.get('one p a') ?? '', verdict: 'must-link' as const },
    { caseId: first.cases.get('one q b') ?? '', verdict: 'must-link' as const },
  ]
  const second = await link({ verdicts })
  t.same(of(second, 'one p', 'one q', 'one r'), [a, b, b])
  t.same(second.linked.report.agencies['one']?.linkedByPass, { 1: 1, 10: 2 })
  t.same(second.linked.worklist, [])
  const third = await link({
    verdicts: [{ caseId: verdicts[0]?.caseId ?? '', verdict: 'cannot-link' }],
  })
  t.same(of(third, 'one p', 'one q', 'one r'), [undefined, undefined, b], 'taken back')
  t.equal(third.linked.worklist.length, 1, 'q is a case again, p is none')
})

test('a record that is another person after all takes a new number, and the first record keeps the old', async (t) => {
  const { deliver, link } = await project(t)
  await deliver({
    records: [record(spine, 'a', { k1: '1', k4: 'x' }), record(spine, 'b', { k1: '1', k4: 'x' })],
    notices: [],
  })
  const first = await link()
  const [a] = of(first, 'spine a')
  t.same(of(first, 'spine b'), [a])
  await deliver({ records: [record(spine, 'b', { k1: '2', k4: 'x' })], notices: [] })
  const second = await link()
  const [b] = of(second, 'spine b')
  t.same(of(second, 'spine a'), [a])
  t.not(b, a)
  t.same(second.changes, [{ person: a, other: b, reason: 'split', version: 2 }])
})

test('under a new linkage key everybody keeps their number and their links, once the registry has delivered again', async (t) => {
  const { deliver, link, changeKey } = await project(t)
  const registry = [
    record(spine, 'a', { k1: '1', k4: 'x' }),
    record(spine, 'b', { k1: '2', k4: 'y' }),
  ]
  await deliver({
    records: [...registry, record(one, 'p', { k1: '1', k4: 'x' }), record(one, 'n', { k1: '9' })],
    notices: [],
  })
  const first = await link()
  const [a, b] = of(first, 'spine a', 'spine b')
  changeKey()
  await deliver({ records: [registry[0] as OracleRecord], notices: [] })
  const refused = await refusalOf(link())
  t.same([refused.code, refused.details], ['epoch-retired', { records: 1 }])
  await deliver({ records: [...registry, record(one, 'q', { k1: '2', k4: 'y' })], notices: [] })
  const second = await link()
  t.same(of(second, 'spine a', 'spine b', 'one p', 'one q'), [a, b, a, b])
  t.notOk(second.personOf.has('one n'), 'whose tokens meet none any more is gone')
  t.same(second.linked.report.change.attached, 1)
})

test('under a new linkage key a second serial of an agency that is free of duplicates is a conflict', async (t) => {
  const registry = [
    record(strict, 'a', { k1: '1', k2: 'kim', k3: 'kim x', k4: 'x' }),
    record(strict, 'b', { k1: '2', k2: 'lee', k4: 'y' }),
  ]
  const second: Record<string, Keys> = {
    'by its number': { k1: '1', k4: 'x' },
    'by a stronger key': { k3: 'kim x', k4: 'x' },
    'by its name': { k2: 'kim', k4: 'x' },
  }
  for (const [how, keys] of Object.entries(second)) {
    const { deliver, link, changeKey } = await project(t)
    const [p, o] = [record(deaths, 'p', { k1: '1' }), record(deaths, 'o', { k1: '2', k4: 'y' })]
    await deliver({ records: [...registry, p, o], notices: [] })
    const [a, b] = of(await link(), 'deaths p', 'deaths o')
    changeKey()
    await deliver({ records: [...registry, record(deaths, 'q', keys), o], notices: [] })
    const run = await link()
    t.same(of(run, 'deaths p', 'deaths q', 'deaths o'), [a, undefined, b], how)
    const caseId = run.cases.get('deaths q a') ?? ''
    t.ok(caseId, 'and people can decide it')
    const decided = await link({ verdicts: [{ caseId, verdict: 'must-link' }] })
    t.same(of(decided, 'deaths p', 'deaths q'), [a, a])
  }
})

test("what was delivered before the key was changed is nobody's in a first linkage", async (t) => {
  const { deliver, link, changeKey } = await project(t)
  await deliver({ records: [record(one, 'p', { k1: '1' })], notices: [] })
  changeKey()
  await deliver({
    records: [record(spine, 'a', { k1: '1' }), record(deaths, 'q', { k1: '1' })],
    notices: [],
  })
  const first = await link()
  const [a] = of(first, 'spine a')
  t.same(of(first, 'deaths q', 'one p'), [a, undefined])
})

test('what a notice or people made one stays one under a new linkage key', async (t) => {
  const { deliver, link, changeKey } = await project(t)
  const registry = ['a', 'b', 'c', 'd'].map((serial, at) =>
    record(spine, serial, { k1: String(at), k2: `name ${at >> 1}`, k4: 'x' }),
  )
  await deliver({ records: registry, notices: [['0', '1']] })
  const first = await link()
  t.same(of(first, 'spine a'), of(first, 'spine b'))
  const caseId = first.cases.get('spine c d') ?? ''
  const verdicts = [{ caseId, verdict: 'must-link' as const }]
  const second = await link({ verdicts })
  t.same(of(second, 'spine c'), of(second, 'spine d'))
  changeKey()
  await deliver({ records: registry, notices: [] })
  const names = ['spine a', 'spine b', 'spine c', 'spine d']
  t.same(of(await link({ verdicts }), ...names), of(second, ...names))
  const fourth = await link({ verdicts })
  t.same(of(fourth, ...names), of(second, ...names), 'and so it stays')
  await deliver({ records: [record(spine, 'a', { k1: '3', k4: 'x' })], notices: [] })
  t.equal((await link({ verdicts })).linked.report.change.held, 1, 'keys are held back as before')
})

test('what people decide of a record under an older linkage key is done, though its keys meet none', async (t) => {
  const { deliver, link, changeKey } = await project(t)
  const registry = [
    record(spine, 'a', { k1: '1', k2: 'kim', k4: 'x' }),
    record(spine, 'b', { k1: '2', k2: 'lee', k4: 'y' }),
  ]
  const others = [
    record(one, 'p', { k1: '3', k2: 'kim', k4: 'x' }),
    record(one, 'q', { k1: '1', k4: 'x' }),
    record(one, 'r', { k1: '2', k4: 'y' }),
    record(one, 's', { k1: '4', k2: 'lee', k4: 'y' }),
  ]
  await deliver({ records: [...registry, ...others], notices: [] })
  const first = await link({ doubts: ['one q'] })
  const [a, b] = of(first, 'spine a', 'spine b')
  const id = (about: string): string => first.cases.get(about) ?? ''
  const joined = { caseId: id('one p a'), verdict: 'must-link' as const }
  const second = await link({ verdicts: [joined] })
  t.same(of(second, 'one p', 'one q', 'one r', 'one s'), [a, a, b, undefined])
  changeKey()
  await deliver({ records: registry, notices: [] })
  const apart = { caseId: id('one q a'), verdict: 'cannot-link' as const }
  const also = { caseId: id('one s b'), verdict: 'must-link' as const }
  const third = await link({ verdicts: [joined, apart, also] })
  t.same(of(third, 'one p', 'one r', 'one s'), [a, b, b])
  t.notOk(third.personOf.has('one q'), 'it is nobody, and nothing finds it any more')
  t.same(of(await link({ verdicts: [joined, apart, also] }), 'one p', 'one r', 'one s'), [a, b, b])
})

test('a record that is nobody’s waits so many waves and is then destroyed, unless its person comes', async (t) => {
  const { deliver, link } = await project(t, { lateWavesMax: 2 })
  const wave = (...records: OracleRecord[]) => deliver({ records, notices: [] })
  await wave(
    record(spine, 'a', { k1: '1' }),
    record(one, 'p', { k1: '1' }),
    record(one, 'late', { k1: '2' }),
    record(one, 'again', { k1: '3' }),
    record(one, 'never', { k1: '4' }),
  )
  t.match((await link()).linked.report.change, { waiting: 3, expired: 0 })
  await wave(record(spine, 'b', { k1: '2' }), record(one, 'again', { k1: '3' }))
  const second = await link()
  t.ok(of(second, 'one late')[0], 'its person came in time')
  await wave(record(spine, 'c', { k1: '5' }))
  const third = await link()
  t.match(third.linked.report.change, { waiting: 1, expired: 1 })
  t.same(Object.keys(third.linked.thinned), ['one 1'])
  t.notOk(third.personOf.has('one never'), 'and it is in no map')
  t.ok(third.personOf.has('one again'), 'who was sent again waits on')
  await wave(record(spine, 'd', { k1: '4' }), record(spine, 'e', { k1: '3' }))
  const fourth = await link()
  t.same(of(fourth, 'one never', 'one again'), [undefined, of(fourth, 'spine e')[0]])
  t.notOk(fourth.personOf.has('one never'), 'whose person came too late is gone')
})

test('a record that loses its link is there until people could look at it', async (t) => {
  const { deliver, link } = await project(t, { lateWavesMax: 1 })
  const wave = (...records: OracleRecord[]) => deliver({ records, notices: [] })
  await wave(
    record(spine, 'a', { k1: '1', k4: 'x' }),
    record(deaths, 'p', { k1: '1', k4: 'x' }),
    record(deaths, 'never', { k1: '2', k4: 'x' }),
  )
  await link()
  await wave(record(spine, 'b', { k1: '3', k4: 'x' }))
  t.match((await link()).linked.report.change, { expired: 1, waiting: 0 })
  await wave(record(deaths, 'q', { k1: '1', k4: 'x' }))
  const third = await link()
  t.same(of(third, 'deaths p', 'deaths q'), [undefined, undefined], 'one serial a person')
  t.match(third.linked.report.change, { detached: 1, expired: 0, waiting: 2 })
  const caseId = third.cases.get('deaths p a') ?? ''
  const decided = await link({ verdicts: [{ caseId, verdict: 'must-link' }] })
  t.same(of(decided, 'deaths p'), of(decided, 'spine a'))
  const undecided = [{ caseId, verdict: 'undecided' }] as const
  t.match((await link({ verdicts: undecided })).linked.report.change, { expired: 0, waiting: 2 })
  t.match((await link({ verdicts: undecided })).linked.report.change, { expired: 1, waiting: 1 })
})

test('three waves give the same bytes whatever the order of records and the threads', async (t) => {
  const wave = (from: number, more: OracleRecord[]): OracleRecord[] => [
    ...Array.from({ length: 400 }, (_, at) => {
      const id = from + at
      const source = [spine, one, deaths][id % 3] ?? spine
      const keys = { k1: `n${(id * 7) % 500}`, k2: `m${(id * 7) % 250}`, k4: `b${(id * 7) % 3}` }
      return record(source, `s${id}`, keys)
    }),
    ...more,
  ]
  const waves = [
    wave(0, []),
    wave(400, [record(spine, 's0', { k1: 'n21', k4: 'b0' })]),
    wave(800, [record(spine, 's3', { k1: 'other', k4: 'b0' })]),
  ]
  const digests = async (turn: (records: OracleRecord[]) => OracleRecord[], threads: number) => {
    const { deliver, link } = await project(t)
    const found: string[] = []
    for (const [at, records] of waves.entries()) {
      const notices: [string, string][] =
        at === 1
          ? [
              ['n14', 'n28'],
              ['n35', 'n42'],
            ]
          : []
      await deliver({
        records: turn(records),
        notices: turn === plain ? notices : notices.toReversed(),
      })
      const { linked } = await link({ threads, releasedVersions: [1] })
      const maps = Object.keys(linked.maps)
        .sort()
        .map((id) => linked.maps[id]?.file ?? '')
      const files = [linked.indexFile, linked.changesFile, linked.personsFile, ...maps]
      for (const file of files)
        found.push(
          createHash('sha256')
            .update(await readFile(file))
            .digest('hex'),
        )
    }
    return found
  }
  const plain = (records: OracleRecord[]) => records
  t.same(await digests((records) => records.toReversed(), 2), await digests(plain, 1))
})
