/**
 * What came of the records of an agency, over all its waves and wave by wave, without a count that is small or gives a small
 * one away. Its cells are the passes that linked and what the unlinked are; known besides are all serials, those linked, and
 * the sums of the sensitivity. All are hidden together, because they add up together, within a wave and over the waves.
 */
import type { Outcome } from './passes.ts'
import { hiddenCells, isSmall } from './small-cells.ts'

/** The records of an agency, or the serials of a delivery, by what came of them. */
export type FlowCounts = Record<Outcome, number> & {
  /** Rows of keys: one a serial. The sum of the outcomes. */
  serials: number
  /** With a key by which a record can be found: K4 alone finds nobody. */
  valid: number
  /** With a place in the list of persons. */
  linked: number
  /** Linked serials beyond the first of their person. */
  duplicates: number
  /** Pass → serials that it linked; those of the spine are under 0, 3 and 9. */
  linkedByPass: Record<string, number>
}

export type Told = number | null

/** A flow as it is told. Linked serials by pass; the others by what they are. */
export type ToldFlow = {
  serials: Told
  valid: Told
  linked: Told
  duplicates: Told
  linkedByPass: Record<string, Told>
  unlinked: Record<(typeof unlinkedOutcomes)[number], Told>
  /** Linked serials if only the surest passes count, those that link by rule, or all that may be. */
  sensitivity: { passes1to2: Told; passes1to6: Told; withPossible: Told }
}

const unlinkedOutcomes = ['possible', 'conflict', 'quarantined', 'none'] as const

/** A flow that nothing is known beside. */
export function toldFlow(flow: FlowCounts, threshold: number): ToldFlow {
  const layout = layoutOf(flow)
  const counts = countsIn(layout, flow)
  const sums = toldSums(layout.sums, [counts], threshold)
  const hidden = hiddenCells({ quantities: [counts], sums }, threshold)
  return flowOf(flow, { layout, sums, hidden, threshold })
}

/**
 * The flows of an agency's waves beside what is told of the whole, of which each is a part. What of the whole is hidden is
 * hidden of every wave. A sum is told of every wave or of none; of a cell, what the other waves hold is looked at like the
 * cell itself, for the difference of the whole and one wave is known.
 */
export function toldWaves(
  { whole, told: of }: { whole: FlowCounts; told: ToldFlow },
  waves: readonly FlowCounts[],
  threshold: number,
): ToldFlow[] {
  if (waves.length === 1) return [of]
  const layout = layoutOf(whole)
  const all = countsIn(layout, whole)
  const grid = waves.map((wave) => countsIn(layout, wave))
  const width = all.length
  const rests = grid.map((counts) => counts.map((count, cell) => (all[cell] ?? 0) - count))
  const ofWhole = toldSums(layout.sums, [all], threshold)
  const sums = toldSums(ofWhole, [...grid, ...rests], threshold)
  const shown = [...all.keys()].filter((cell) => cellOf(of, layout, cell) !== null)
  const inWave = (cells: readonly number[], wave: number): number[] =>
    cells.map((cell) => wave * width + cell)
  const overWaves = (cells: readonly number[]): number[] =>
    grid.flatMap((_, wave) => inWave(cells, wave))
  // What is in two waves is counted twice, so that only of waves apart the parts add up to the whole.
  const addsUp = (cell: number): boolean =>
    grid.reduce((sum, counts) => sum + (counts[cell] ?? 0), 0) === all[cell]
  const hidden = hiddenCells(
    {
      quantities: [grid.flat(), rests.flat()],
      sums: [
        ...sums.flatMap((sum) => grid.map((_, wave) => inWave(sum, wave))),
        ...ofWhole.filter((sum) => sum.every(addsUp)).map(overWaves),
        ...shown.filter(addsUp).map((cell) => overWaves([cell])),
      ],
      hidden: new Set(overWaves([...all.keys()].filter((cell) => !shown.includes(cell)))),
    },
    threshold,
  )
  return waves.map((wave, at) => {
    const own = new Set([...all.keys()].filter((cell) => hidden.has(at * width + cell)))
    const told = flowOf(wave, { layout, sums, hidden: own, threshold })
    const isPart = (name: 'valid' | 'duplicates'): boolean =>
      waves.every((other) => !isSmall(Math.abs(whole[name] - other[name]), threshold))
    return {
      ...told,
      valid: of.valid !== null && isPart('valid') ? told.valid : null,
      duplicates: of.duplicates !== null && isPart('duplicates') ? told.duplicates : null,
    }
  })
}

/** The order of the cells: passes, then what the unlinked are. Sums are of cells by number, the first to be told first. */
type Layout = { passes: string[]; sums: number[][] }

function layoutOf({ linkedByPass }: FlowCounts): Layout {
  const passes = Object.keys(linkedByPass)
  const cellsOf = (wanted: readonly string[]): number[] =>
    passes.flatMap((pass, cell) => (wanted.includes(pass) ? [cell] : []))
  const spine = ['0', '3', '9']
  const linked = [...passes.keys()]
  const all = [...linked, ...unlinkedOutcomes.map((_, at) => passes.length + at)]
  const byRule = cellsOf([...spine, '1', '2', '4', '5', '6'])
  const surest = cellsOf([...spine, '1', '2'])
  return { passes, sums: [all, linked, byRule, surest, [...linked, passes.length]] }
}

function countsIn({ passes }: Layout, flow: FlowCounts): number[] {
  const linkedAs = (pass: string): number => flow.linkedByPass[pass] ?? 0
  const unlinked = unlinkedOutcomes.map((outcome) => {
    if (outcome === 'conflict') return flow.conflict - linkedAs('3')
    return outcome === 'quarantined' ? flow.quarantined - linkedAs('0') : flow[outcome]
  })
  return [...passes.map(linkedAs), ...unlinked]
}

function sumIn(counts: readonly number[], cells: readonly number[]): number {
  return cells.reduce((total, cell) => total + (counts[cell] ?? 0), 0)
}

/** A sum is withheld if it, or what it has beyond another that is told, is small in any of the counts. */
function toldSums(
  sums: readonly number[][],
  quantities: readonly (readonly number[])[],
  threshold: number,
): number[][] {
  const told: number[][] = []
  for (const sum of sums) {
    const rests = told.flatMap((other) => [
      sum.filter((cell) => !other.includes(cell)),
      other.filter((cell) => !sum.includes(cell)),
    ])
    const isTelling = [sum, ...rests].some((part) =>
      quantities.some((counts) => isSmall(sumIn(counts, part), threshold)),
    )
    if (!isTelling) told.push(sum)
  }
  return told
}

function flowOf(
  flow: FlowCounts,
  of: {
    layout: Layout
    sums: readonly number[][]
    hidden: ReadonlySet<number>
    threshold: number
  },
): ToldFlow {
  const { layout, hidden, threshold } = of
  const { passes, sums } = layout
  const counts = countsIn(layout, flow)
  const isTold = (sum: readonly number[]): boolean =>
    of.sums.some((told) => told.length === sum.length && told.every((cell, at) => cell === sum[at]))
  const [serials, linked, passes1to6, passes1to2, withPossible] = sums.map((sum) =>
    isTold(sum) ? sumIn(counts, sum) : null,
  )
  const cell = (at: number): Told => (hidden.has(at) ? null : (counts[at] ?? 0))
  const isFew = (count: number): boolean => isSmall(count, threshold)
  const persons = flow.linked - flow.duplicates
  const isValidTold = serials !== null && !isFew(flow.valid) && !isFew(flow.serials - flow.valid)
  return {
    serials: serials ?? null,
    valid: isValidTold ? flow.valid : null,
    linked: linked ?? null,
    duplicates: isFew(flow.duplicates) || isFew(persons) ? null : flow.duplicates,
    linkedByPass: Object.fromEntries(passes.map((pass, at) => [pass, cell(at)])),
    unlinked: Object.fromEntries(
      unlinkedOutcomes.map((outcome, at) => [outcome, cell(passes.length + at)]),
    ) as ToldFlow['unlinked'],
    sensitivity: {
      passes1to2: passes1to2 ?? null,
      passes1to6: passes1to6 ?? null,
      withPossible: withPossible ?? null,
    },
  }
}

function cellOf(told: ToldFlow, { passes }: Layout, cell: number): Told {
  const pass = passes[cell]
  if (pass !== undefined) return told.linkedByPass[pass] ?? null
  const outcome = unlinkedOutcomes[cell - passes.length]
  return outcome === undefined ? null : told.unlinked[outcome]
}
