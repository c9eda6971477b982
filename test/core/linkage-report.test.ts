import fc from 'fast-check'
import { test } from 'tap'
import { type LinkageCounts, rateOf, toldReport } from '../../src/core/linkage-report.ts'
import type { FlowCounts } from '../../src/core/told-flow.ts'

function countsOf(flow: Partial<FlowCounts>): LinkageCounts {
  const counts = {
    founded: 0,
    perfect: 0,
    match: 0,
    possible: 0,
    conflict: 0,
    quarantined: 0,
    none: 0,
    serials: 0,
    valid: flow.serials ?? 0,
    linked: 0,
    duplicates: 0,
    linkedByPass: {},
    ...flow,
  }
  const agency = {
    ...counts,
    withK1: counts.serials,
    withKey: { K1: counts.serials },
  }
  return {
    rulesVersion: 'test',
    persons: 1000,
    hubs: 3,
    hubsByKey: { K1: 3 },
    notices: { used: 20, setAside: 0 },
    agencies: { one: agency },
    deliveries: [{ agency: 'one', wave: 1, ...counts }],
    spinePairs: { possible: 0, match: 0 },
    cases: 40,
    clusters: { 2: 11, 3: 1 },
    change: {
      version: 1,
      founded: 1000,
      kept: 0,
      merged: 0,
      split: 0,
      attached: 0,
      detached: 0,
      moved: 0,
      expired: 0,
      waiting: 0,
      held: 0,
      torn: 0,
      cases: { possible: 40, conflict: 0, merge: 0, doubted: 0 },
    },
  }
}

test('tells counts, and hides a small one with what would give it away', (t) => {
  const told = toldReport(
    countsOf({
      perfect: 500,
      match: 34,
      possible: 40,
      none: 426,
      serials: 1000,
      linked: 534,
      linkedByPass: { 1: 500, 2: 30, 6: 4 },
    }),
    10,
  )
  const one = told.agencies['one']
  t.same([one?.serials, one?.linked], [1000, 534])
  t.equal(one?.linkedByPass[6], null, 'four people')
  t.ok(Object.values(one?.linkedByPass ?? {}).filter((count) => count === null).length > 1)
  t.equal(one?.sensitivity.passes1to2, null, 'beside 534 it would tell the four')
  t.same(told.hubs, { K1: null })
  t.same(told.clusters, { 2: 11, 3: null })
  t.same(one?.rate, { share: 0.534, low: 0.503, high: 0.5647 })
  t.end()
})

test('from what is told of an agency no small count follows by any one sum', (t) => {
  const count = fc.oneof(fc.nat(12), fc.nat(500))
  fc.assert(
    fc.property(fc.array(count, { minLength: 8, maxLength: 8 }), (counts) => {
      const [
        p1 = 0,
        p2 = 0,
        p4 = 0,
        p6 = 0,
        possible = 0,
        conflict = 0,
        quarantined = 0,
        none = 0,
      ] = counts
      const linked = p1 + p2 + p4 + p6
      const serials = linked + possible + conflict + quarantined + none
      const flow = {
        perfect: p1,
        match: linked - p1,
        possible,
        conflict,
        quarantined,
        none,
        serials,
        linked,
        linkedByPass: { 1: p1, 2: p2, 4: p4, 6: p6 },
      }
      const one = toldReport(countsOf(flow), 10).agencies['one']
      if (!one) throw new Error('the agency is told')
      const isSmall = (value: number): boolean => value > 0 && value < 10
      const shown = [...Object.values(one.linkedByPass), ...Object.values(one.unlinked)]
      const sums = [one.serials, one.linked, ...Object.values(one.sensitivity)]
      for (const value of [...shown, ...sums])
        if (value !== null && isSmall(value)) throw new Error('a small count is told')
      for (const a of sums)
        for (const b of sums)
          if (a !== null && b !== null && isSmall(a - b)) throw new Error('a small difference')
      const hidden = shown.filter((value) => value === null).length
      if (one.serials !== null && hidden === 1) throw new Error('one hidden cell of a known sum')
    }),
  )
  t.end()
})

test('a share has the interval of Wilson', (t) => {
  t.same(rateOf(0, 10), { share: 0, low: 0, high: 0.2775 })
  t.same(rateOf(81, 263), { share: 0.308, low: 0.2553, high: 0.3662 })
  t.equal(rateOf(0, 0), null)
  t.end()
})
