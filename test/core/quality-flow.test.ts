import { test } from 'tap'
import { type LinkageCounts, toldReport } from '../../src/core/linkage-report.ts'
import { changeOf, flowOf, toldTables, wavesOf } from '../../src/core/quality-flow.ts'

const threshold = 10
const none = { founded: 0, perfect: 0, match: 0, possible: 0, conflict: 0, quarantined: 0, none: 0 }
const change = {
  version: 2,
  founded: 500,
  kept: 9_500,
  merged: 20,
  split: 0,
  attached: 40,
  detached: 5,
  moved: 0,
  expired: 0,
  waiting: 0,
  held: 0,
  torn: 1,
  cases: { possible: 30, conflict: 2, merge: 0, doubted: 0 },
}

function countsOf(linked: number, more: Partial<typeof change> = {}): LinkageCounts {
  const insurer = {
    ...{ ...none, perfect: linked, none: 1_000 - linked },
    serials: 1_000,
    valid: 960,
    linked,
    duplicates: 12,
    linkedByPass: { 1: linked },
    withK1: 960,
    withKey: { K1: 960 },
  }
  const registry = {
    ...{ ...none, founded: 10_000 },
    serials: 10_000,
    valid: 10_000,
    linked: 10_000,
    duplicates: 0,
    linkedByPass: { 9: 10_000 },
    withK1: 10_000,
    withKey: { K1: 10_000 },
  }
  return {
    rulesVersion: 'test',
    persons: 10_000,
    hubs: 0,
    hubsByKey: {},
    notices: { used: 0, setAside: 0 },
    agencies: { insurer, registry },
    deliveries: [
      { agency: 'insurer', wave: 1, ...insurer },
      { agency: 'registry', wave: 1, ...registry },
    ],
    spinePairs: { possible: 0, match: 0 },
    cases: 0,
    clusters: {},
    change: { ...change, ...more },
  }
}

const toldOf = (linked: number, more: Partial<typeof change> = {}) =>
  toldReport(countsOf(linked, more), threshold)

test('the flow tells delivered, valid, linked and distinct, the spine first', (t) => {
  const told = toldOf(800)
  const insurer = { delivered: 1_000, valid: 960, linked: 800, distinct: 788, duplicates: 12 }
  t.match(flowOf(told, 'registry', []), [{ agency: 'registry', isSpine: true }, insurer])
  t.match(wavesOf(told, 'registry'), [
    { agency: 'registry', wave: 1 },
    { ...insurer, wave: 1 },
  ])
  const few = { ...countsOf(800), deliveries: [] }
  few.agencies['insurer'] = {
    ...few.agencies['registry'],
    ...countsOf(14).agencies['insurer'],
  } as never
  t.match(flowOf(toldReport(few, threshold), 'registry', [])[1], { linked: 14, distinct: null })
  t.end()
})

test('keys that were set aside are told, unless they or the empty ones are few', (t) => {
  const of = (keys: number): unknown =>
    flowOf(toldOf(800), 'registry', [{ agency: 'insurer', keyType: 'K1', keys }])[1]?.setAside
  t.same(of(0), { K1: 0 })
  t.same(of(20), { K1: 20 }, 'twenty more are empty')
  t.same(of(40), { K1: 40 }, 'none is empty')
  t.same(of(4), { K1: null })
  t.same(of(33), { K1: null }, 'seven would be empty')
  t.end()
})

test('the change tells drift where both rates are told, and no small count', (t) => {
  const before = { linkage: '0f7c1c9e-3f5e-4f0e-9d3a-5b8f2d1c7a10', told: toldOf(750) }
  const changed = changeOf(toldOf(800), before)
  t.match(changed, {
    previous: before.linkage,
    founded: 500,
    kept: 9_500,
    merged: 20,
    detached: null,
    torn: null,
    cases: { possible: 30, conflict: null, merge: 0, doubted: 0 },
  })
  t.match(changed.rates, [
    { agency: 'insurer', before: { share: 0.75 }, drift: 0.05 },
    { drift: 0 },
  ])
  const hidden = changeOf(toldOf(995), before).rates[0]
  t.match(hidden, { before: { share: 0.75 }, now: null, drift: null })
  t.match(changeOf(toldOf(800), undefined), { previous: null, rates: [{ drift: null }, {}] })
  t.end()
})

test('persons who are new, known and given up are told together, for they add up', (t) => {
  for (const more of [{ founded: 3 }, { kept: 4 }, { merged: 5 }]) {
    const { founded, kept } = toldOf(800, more).change
    t.same([founded, kept], [null, null], JSON.stringify(more))
  }
  t.end()
})

test('rows of tables are told with no small count and none that gives one away', (t) => {
  t.same(
    toldTables(
      [
        { table: 'large', kept: 500, outside: 300, unknown: 0 },
        { table: 'some', kept: 500, outside: 300, unknown: 4 },
        { table: 'few', kept: 3, outside: 0, unknown: 2 },
      ],
      threshold,
    ),
    [
      { table: 'large', rows: 800, kept: 500, outside: 300, unknown: 0 },
      { table: 'some', rows: 804, kept: 500, outside: null, unknown: null },
      { table: 'few', rows: null, kept: null, outside: 0, unknown: null },
    ],
  )
  t.end()
})
