/** Of the key side's counts those that may be told. It reads only the counts it knows, whatever else the report may hold. */
import { z } from 'zod'
import type { Flow } from './quality-report.ts'
import { hiddenCells, isSmall } from './small-cells.ts'

const linkedOutcomes = ['founded', 'perfect', 'match']
const unlinkedOutcomes = ['possible', 'conflict', 'quarantined', 'unlinked', 'none']

const countsSchema = z.record(z.string(), z.unknown()).transform((counts) => {
  const known = Object.entries(counts).filter(([, count]) => Number.isSafeInteger(count))
  return Object.fromEntries(known) as Record<string, number>
})
const reportSchema = z.object({
  hubs: z.int().min(0).optional(),
  agencies: z.record(z.string(), countsSchema).optional(),
})

/**
 * The flow of every agency.
 *
 * How many records are linked is nearly told by how many persons an agency knows; so where few are unlinked it is the
 * number delivered that is hidden, and among the linked and among the unlinked no small outcome can be found again.
 *
 * @param report - of the linkage, as it is stored.
 */
export function maskedFlow(
  report: unknown,
  spine: string | undefined,
  threshold: number,
): { hubs: number | null; flow: Flow[] } {
  const { hubs, agencies = {} } = reportSchema.catch({}).parse(report ?? {})
  const shown = (count: number | undefined): number | null =>
    count === undefined || isSmall(count, threshold) ? null : count
  const flow = Object.entries(agencies)
    .map(([agency, counts]) => flowOf({ agency, isSpine: agency === spine }, counts, threshold))
    .sort((a, b) => Number(b.isSpine) - Number(a.isSpine) || (a.agency < b.agency ? -1 : 1))
  return { hubs: shown(hubs), flow }
}

type Outcome = Flow['outcomes'][number]

function flowOf(
  { agency, isSpine }: Pick<Flow, 'agency' | 'isSpine'>,
  counts: Record<string, number>,
  threshold: number,
): Flow {
  const namesOf = (names: readonly string[]): string[] =>
    names.filter((name) => counts[name] !== undefined)
  const all = [...namesOf(linkedOutcomes), ...namesOf(unlinkedOutcomes)]
  const linkedNames = isSpine ? all : namesOf(linkedOutcomes)
  const unlinkedNames = all.filter((name) => !linkedNames.includes(name))
  const sumOf = (names: readonly string[]): number =>
    names.reduce((sum, name) => sum + (counts[name] ?? 0), 0)
  const linked = sumOf(linkedNames)
  const unlinked = sumOf(unlinkedNames)
  const delivered = linked + unlinked
  const hasFewUnlinked = isSmall(unlinked, threshold)
  const isEitherFew = hasFewUnlinked || isSmall(linked, threshold)
  const withK1 = counts['withK1'] ?? delivered
  const isWithK1Told = !isEitherFew && !isSmall(delivered - withK1, threshold)
  const duplicates = counts['duplicates'] ?? 0
  return {
    agency,
    isSpine,
    delivered: isEitherFew ? null : delivered,
    withK1: isWithK1Told && !isSmall(withK1, threshold) ? withK1 : null,
    linked: isSmall(linked, threshold) ? null : linked,
    unlinked: hasFewUnlinked ? null : unlinked,
    duplicates: isSmall(duplicates, threshold) ? null : duplicates,
    outcomes: [
      ...outcomesOf(counts, { names: linkedNames, isLinked: true }, threshold),
      ...outcomesOf(counts, { names: unlinkedNames, isLinked: false }, threshold),
    ],
    hasFewUnlinked,
  }
}

function outcomesOf(
  counts: Record<string, number>,
  { names, isLinked }: { names: readonly string[]; isLinked: boolean },
  threshold: number,
): Outcome[] {
  const records = names.map((name) => counts[name] ?? 0)
  const sum = records.reduce((total, count) => total + count, 0)
  const sums = isSmall(sum, threshold) ? [] : [[...records.keys()]]
  const hidden = isSmall(sum, threshold)
    ? new Set(records.keys())
    : hiddenCells({ quantities: [records], sums }, threshold)
  return names.map((outcome, at) => ({
    outcome,
    isLinked,
    records: hidden.has(at) ? null : (records[at] ?? 0),
  }))
}
