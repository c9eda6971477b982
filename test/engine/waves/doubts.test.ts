import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Test, test } from 'tap'
import { linkRulesSchema } from '../../../src/core/passes.ts'
import { openProject, type Project, type Run } from './project.ts'

const spine = { agency: 'spine', isSpine: true, isDuplicateFree: false }
const one = { agency: 'one', isSpine: false, isDuplicateFree: false }

async function project(t: Test): Promise<Project> {
  const dir = await mkdtemp(join(tmpdir(), 'gyeol-doubts-'))
  t.teardown(() => rm(dir, { recursive: true, force: true }))
  return openProject(dir, linkRulesSchema.parse({}))
}

const of = (run: Run, ...records: string[]): (string | undefined)[] =>
  records.map((name) => run.personOf.get(name))
const shown = (run: Run): unknown[] =>
  run.linked.worklist.map(({ caseId, kind, agency, wave, pass, pattern }) => [
    ...[caseId, kind, agency, wave],
    ...[pass, pattern],
  ])

test('a perfect link that its agency doubts is a case, and is undone when people decide so', async (t) => {
  const { deliver, link } = await project(t)
  await deliver({
    records: [
      { ...spine, serial: 'a', k1: '1', k4: 'x' },
      { ...spine, serial: 'b', k1: '2', k4: 'x' },
      { ...one, serial: 'p', k1: '1', k4: 'x' },
      { ...one, serial: 'q', k1: '2', k4: 'x' },
    ],
    notices: [],
  })
  const first = await link()
  const [a, b] = of(first, 'spine a', 'spine b')
  t.same(first.linked.worklist, [])
  const doubted = await link({ doubts: ['one p', 'one nobody', 'two p'] })
  t.same(of(doubted, 'one p', 'one q'), [a, b], 'to doubt changes nothing')
  const caseId = doubted.cases.get('one p a') ?? ''
  t.same(shown(doubted), [[caseId, 'doubted', 'one', 1, 1, '=..=.']])
  t.same(doubted.linked.report.change.cases, { possible: 0, conflict: 0, merge: 0, doubted: 1 })
  t.same(shown(await link()), shown(doubted), 'it stays on the list')

  const apart = await link({ verdicts: [{ caseId, verdict: 'cannot-link' }] })
  t.same(of(apart, 'one p', 'one q', 'spine a'), [undefined, b, a], 'it is nobody now')
  t.same(apart.linked.worklist, [])
  t.equal(apart.linked.report.change.detached, 1)
  const back = await link({ verdicts: [{ caseId, verdict: 'undecided' }] })
  t.same(of(back, 'one p'), [a], 'taken back, it is linked as the rules say')
  t.same(shown(back), shown(doubted), 'and doubted again')
  const agreed = await link({ verdicts: [{ caseId, verdict: 'must-link' }] })
  t.same([of(agreed, 'one p'), shown(agreed)], [[a], []], 'the doubt was not shared')
})

test('an agency with an apostrophe in its name can doubt', async (t) => {
  const { deliver, link } = await project(t)
  const quoted = { ...one, agency: "o'ne" }
  await deliver({
    records: [
      { ...spine, serial: 'a', k1: '1', k4: 'x' },
      { ...quoted, serial: 'p', k1: '1', k4: 'x' },
    ],
    notices: [],
  })
  const doubted = await link({ doubts: ["o'ne p"] })
  t.match(shown(doubted), [[doubted.cases.get("o'ne p a"), 'doubted', "o'ne", 1, 1]])
})

test('a link under an older linkage key can be doubted, and decided on', async (t) => {
  const { deliver, link, changeKey } = await project(t)
  const registry = [
    { ...spine, serial: 'a', k1: '1', k4: 'x' },
    { ...spine, serial: 'b', k1: '2', k4: 'y' },
  ]
  await deliver({
    records: [
      ...registry,
      { ...one, serial: 'p', k1: '1', k4: 'x' },
      { ...one, serial: 'q', k1: '2', k4: 'y' },
      { ...one, serial: 'r', k1: '2', k4: 'y' },
    ],
    notices: [],
  })
  const [a, b] = of(await link(), 'spine a', 'spine b')
  changeKey()
  await deliver({ records: [...registry, { ...one, serial: 'r', k1: '2', k4: 'y' }], notices: [] })
  const doubted = await link({ doubts: ['one p', 'one r', 'one nobody'] })
  t.same(of(doubted, 'one p', 'one q', 'one r'), [a, b, b], 'to doubt changes nothing')
  const id = (about: string): string => doubted.cases.get(about) ?? ''
  const told = new Map(shown(doubted).map((line) => [(line as unknown[])[0], line]))
  t.same(told.get(id('one p a')), [id('one p a'), 'doubted', 'one', 1, 1, '=..=.'])
  t.same(told.get(id('one r b')), [id('one r b'), 'doubted', 'one', 2, 1, '=..=.'])
  t.same([told.size, doubted.linked.report.change.cases.doubted], [2, 2])
  const listed = new Set(shown(await link()).map((line) => (line as unknown[])[0]))
  t.same(listed, new Set([id('one p a'), id('one r b')]), 'both stay on the list')
  const verdicts = [
    { caseId: id('one p a'), verdict: 'cannot-link' as const },
    { caseId: id('one r b'), verdict: 'must-link' as const },
  ]
  const decided = await link({ verdicts })
  t.same(of(decided, 'one p', 'one q', 'one r'), [undefined, b, b])
  t.same(decided.linked.worklist, [])
})

test('a link by weaker keys can be doubted too', async (t) => {
  const { deliver, link } = await project(t)
  await deliver({
    records: [
      { ...spine, serial: 'a', k1: '1', k3: 'm', k4: 'x' },
      { ...one, serial: 'p', k3: 'm', k4: 'x' },
    ],
    notices: [],
  })
  const [a] = of(await link(), 'spine a')
  const doubted = await link({ doubts: ['one p'] })
  const caseId = doubted.cases.get('one p a') ?? ''
  t.match(shown(doubted), [[caseId, 'doubted', 'one', 1, 5]])
  t.same(of(doubted, 'one p'), [a])
  const apart = await link({ verdicts: [{ caseId, verdict: 'cannot-link' }] })
  t.same([of(apart, 'one p'), apart.linked.worklist], [[undefined], []])
})

test('the spine can doubt that two of its records are one person', async (t) => {
  const { deliver, link } = await project(t)
  await deliver({
    records: [
      { ...spine, serial: 'a', k1: '1', k4: 'x' },
      { ...spine, serial: 'b', k1: '1', k4: 'x' },
      { ...spine, serial: 'c', k1: '3', k4: 'x' },
      { ...one, serial: 'p', k1: '3', k4: 'x' },
    ],
    notices: [],
  })
  const first = await link()
  const [a, b] = of(first, 'spine a', 'spine b')
  t.equal(a, b)
  const doubted = await link({ doubts: ['spine b', 'spine c'] })
  const caseId = doubted.cases.get('spine a b') ?? ''
  t.same(shown(doubted), [[caseId, 'doubted', 'spine', 1, null, null]], 'c stands alone')
  const apart = await link({ verdicts: [{ caseId, verdict: 'cannot-link' }] })
  const [left, right] = of(apart, 'spine a', 'spine b')
  t.equal(left, a)
  t.not(right, a, 'two persons')
  t.equal(apart.linked.worklist.filter(({ kind }) => kind === 'doubted').length, 0)
})

test('a doubt is of one link: where the record is linked to somebody else it is over', async (t) => {
  const { deliver, link } = await project(t)
  await deliver({
    records: [
      { ...spine, serial: 'a', k1: '1', k4: 'x' },
      { ...spine, serial: 'b', k1: '2', k4: 'x' },
      { ...one, serial: 'p', k1: '1', k4: 'x' },
    ],
    notices: [],
  })
  await link()
  t.equal((await link({ doubts: ['one p'] })).linked.worklist.length, 1)
  await deliver({ records: [{ ...one, serial: 'p', k1: '2', k4: 'x' }], notices: [] })
  const moved = await link()
  t.same(of(moved, 'one p'), of(moved, 'spine b'))
  t.same(moved.linked.worklist, [])
})
