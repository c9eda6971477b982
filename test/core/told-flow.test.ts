import fc from 'fast-check'
import { test } from 'tap'
import { type FlowCounts, type ToldFlow, toldFlow, toldWaves } from '../../src/core/told-flow.ts'

const threshold = 10
const passes = ['1', '2', '6']
const outcomes = ['possible', 'conflict', 'quarantined', 'none'] as const
const isSmall = (count: number): boolean => count > 0 && count < threshold

/** A flow of so many by passes 1, 2 and 6, and of the unlinked. */
function flowOf(counts: readonly number[]): FlowCounts {
  const [p1 = 0, p2 = 0, p6 = 0, possible = 0, conflict = 0, quarantined = 0, none = 0] = counts
  const linked = p1 + p2 + p6
  const serials = counts.reduce((sum, count) => sum + count, 0)
  const unlinked = { possible, conflict, quarantined, none }
  const found = { founded: 0, perfect: p1, match: p2 + p6 }
  const linkedByPass = { 1: p1, 2: p2, 6: p6 }
  return { ...found, ...unlinked, serials, valid: serials, linked, duplicates: 0, linkedByPass }
}

function numbersOf(told: ToldFlow): (number | null)[] {
  const { serials, linked, valid, linkedByPass, unlinked, sensitivity } = told
  const cells = [...passes.map((pass) => linkedByPass[pass] ?? null), ...Object.values(unlinked)]
  return [serials, linked, valid, ...Object.values(sensitivity), ...cells]
}

function toldOf(whole: FlowCounts, waves: FlowCounts[]): { all: ToldFlow; each: ToldFlow[] } {
  const all = toldFlow(whole, threshold)
  return { all, each: toldWaves({ whole, told: all }, waves, threshold) }
}

const count = fc.oneof(fc.nat(12), fc.nat(400))
const counts = fc.array(count, { minLength: 7, maxLength: 7 })

test('of an agency with one wave, the wave is the whole', (t) => {
  const whole = flowOf([500, 30, 4, 40, 0, 0, 426])
  const { all, each } = toldOf(whole, [whole])
  t.same(each, [all])
  t.end()
})

test('large waves are told as they are', (t) => {
  const waves = [
    [500, 300, 40, 60, 0, 20, 400],
    [900, 100, 20, 30, 0, 40, 80],
  ]
  const whole = flowOf(waves[0]?.map((value, at) => value + (waves[1]?.[at] ?? 0)) ?? [])
  const { each } = toldOf(whole, waves.map(flowOf))
  t.same(
    each.map(({ serials, linked, linkedByPass, unlinked }) => [
      serials,
      linked,
      ...Object.values(linkedByPass),
      ...Object.values(unlinked),
    ]),
    [
      [1320, 840, 500, 300, 40, 60, 0, 20, 400],
      [1170, 1020, 900, 100, 20, 30, 0, 40, 80],
    ],
  )
  t.end()
})

test('a wave of few is not to be had from the whole and the other waves', (t) => {
  const few = [3, 0, 0, 0, 0, 0, 2]
  const many = [500, 300, 40, 60, 0, 20, 400]
  const whole = flowOf(many.map((value, at) => value + (few[at] ?? 0)))
  const { all, each } = toldOf(whole, [flowOf(many), flowOf(few)])
  t.equal(all.serials, 1325)
  t.equal(all.linkedByPass['1'], 503)
  for (const told of each) {
    t.equal(told.serials, null, 'beside the whole it would tell the other')
    t.equal(told.valid, null)
    t.equal(told.linkedByPass['1'], null)
    t.equal(told.unlinked.none, null)
  }
  t.equal(each[0]?.linkedByPass['2'], 300, 'what the few are not in is told')
  t.end()
})

test('no number of a wave, and none beside the whole, is small', (t) => {
  fc.assert(
    fc.property(counts, counts, fc.boolean(), (one, other, isRepeated) => {
      // A wave may bring other serials, or those of the wave before again and some more.
      const both = one.map((value, at) => value + (other[at] ?? 0))
      const waves = [flowOf(one), flowOf(isRepeated ? both : other)]
      const { all, each } = toldOf(flowOf(both), waves)
      const whole = numbersOf(all)
      for (const told of each.map(numbersOf)) {
        for (const [at, value] of told.entries()) {
          if (value === null) continue
          if (isSmall(value)) throw new Error('a small count is told')
          const of = whole[at] ?? null
          if (of === null) throw new Error('what the whole hides, a wave tells')
          if (isSmall(of - value)) throw new Error('a small difference to the whole')
        }
      }
    }),
    { numRuns: 500 },
  )
  t.end()
})

test('of three waves no small cell follows from the others by adding up', (t) => {
  fc.assert(
    fc.property(counts, counts, counts, (one, two, three) => {
      const waves = [one, two, three]
      const whole = one.map((_, at) => waves.reduce((sum, wave) => sum + (wave[at] ?? 0), 0))
      const { all, each } = toldOf(flowOf(whole), waves.map(flowOf))
      const cellsOf = (told: ToldFlow): (number | null)[] => [
        ...passes.map((pass) => told.linkedByPass[pass] ?? null),
        ...outcomes.map((outcome) => told.unlinked[outcome]),
      ]
      const grid = each.map(cellsOf)
      const wholeCells = cellsOf(all)
      for (const [at, of] of wholeCells.entries()) {
        const hidden = grid.filter((wave) => wave[at] === null)
        if (of !== null && hidden.length === 1) {
          const index = grid.findIndex((wave) => wave[at] === null)
          if (isSmall(waves[index]?.[at] ?? 0)) throw new Error('over the waves')
        }
      }
      for (const [index, wave] of grid.entries()) {
        const hidden = wave.flatMap((value, at) => (value === null ? [at] : []))
        if (each[index]?.serials === null || hidden.length !== 1) continue
        if (isSmall(waves[index]?.[hidden[0] ?? 0] ?? 0)) throw new Error('within a wave')
      }
    }),
    { numRuns: 300 },
  )
  t.end()
})
