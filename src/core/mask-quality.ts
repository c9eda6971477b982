/** Makes of all counts of the data side those that may be told. */
import { determinedCells } from './determined-cells.ts'
import { hiddenIn, maskOf, maskRateTables } from './mask-rates.ts'
import type {
  Check,
  CheckRule,
  Difference,
  Overlap,
  QualityCounts,
  RateTable,
} from './quality-counts.ts'
import { differenceOfMeans, differenceOfShares, wilsonInterval } from './quality-numbers.ts'
import type { RawQuality } from './quality-raw.ts'
import { isSmall } from './small-cells.ts'

/** Everything below the threshold hidden, with what would give it away. */
export function maskQuality(raw: RawQuality, threshold: number): QualityCounts {
  const groups = Map.groupBy(raw.rates, ({ basis, agency }) => `${basis} ${agency}`)
  const rates = [...groups.values()].flatMap((tables) => maskRateTables(tables, threshold))
  return {
    format: 'gyeol-quality-counts-1',
    threshold,
    spine: raw.spine,
    persons: raw.persons,
    agencies: raw.agencies,
    rates,
    differences: [...rates.flatMap(differencesOf), ...differencesOfBirth(raw, threshold)],
    checks: maskChecks(raw, threshold),
    overlap: pooledOverlap(raw, threshold),
  }
}

/** From shown counts only, so that they say nothing that the counts do not. */
function differencesOf(table: RateTable, _: number, all: readonly RateTable[]): Difference[] {
  const [of] = table.by
  if (table.basis !== 'records' || table.by.length !== 1 || of === undefined) return []
  const whole = all.find(({ basis, agency, by }) => {
    return basis === 'records' && agency === table.agency && by.length === 0
  })?.cells[0]
  if (!whole || whole.delivered === null || whole.linked === null) return []
  const linkedOfAll = whole.linked
  const unlinkedOfAll = whole.delivered - whole.linked
  if (linkedOfAll === 0 || unlinkedOfAll === 0) return []
  return table.cells.flatMap(({ levels, delivered, linked }) => {
    if (delivered === null || linked === null) return []
    const shares = [linked / linkedOfAll, (delivered - linked) / unlinkedOfAll] as const
    const difference = differenceOfShares(...shares)
    if (difference === undefined) return []
    const { agency } = table
    return [
      { agency, of, level: levels[0] ?? '', linked: shares[0], unlinked: shares[1], difference },
    ]
  })
}

/** Means to a tenth of a year, of groups that are not small. */
function differencesOfBirth({ births }: RawQuality, threshold: number): Difference[] {
  return births.flatMap(({ agency, linked, unlinked }) => {
    if (linked.persons < threshold || unlinked.persons < threshold) return []
    const difference = differenceOfMeans(linked, unlinked)
    if (difference === undefined) return []
    return [
      {
        agency,
        of: 'birth-year' as const,
        level: null,
        linked: Math.round(linked.mean * 10) / 10,
        unlinked: Math.round(unlinked.mean * 10) / 10,
        difference: Math.round(difference * 1_000) / 1_000,
      },
    ]
  })
}

/** Each rule and agency: all passes together first, then each pass, if the map tells passes. */
function maskChecks(raw: RawQuality, threshold: number): Check[] {
  const groups = Map.groupBy(raw.checks, ({ rule, agency }) => `${rule} ${agency}`)
  return [...groups.values()].flatMap((group) => {
    const whole = {
      rule: group[0]?.rule ?? 'sex-differs',
      agency: group[0]?.agency ?? '',
      pass: null,
      compared: group.reduce((sum, check) => sum + check.compared, 0),
      flagged: group.reduce((sum, check) => sum + check.flagged, 0),
    }
    const lines = [whole, ...group.filter(({ pass }) => pass !== null)]
    const cells = lines.map(({ compared, flagged }) => ({ delivered: compared, linked: flagged }))
    const first = hiddenIn({ cells: cells.slice(0, 1) }, [], threshold)
    const sum = {
      cells: cells.slice(1).map((_, at) => at),
      isDeliveredHidden: first.delivered.has(0),
      isLinkedHidden: first.linked.has(0),
    }
    const rest = hiddenIn({ cells: cells.slice(1) }, [sum], threshold)
    return lines.map((line, at) => {
      const isDeliveredHidden = at === 0 ? first.delivered.has(0) : rest.delivered.has(at - 1)
      const isLinkedHidden = at === 0 ? first.linked.has(0) : rest.linked.has(at - 1)
      return shownCheck(line, { isDeliveredHidden, isLinkedHidden, threshold }, raw)
    })
  })
}

function shownCheck(
  line: RawQuality['checks'][number],
  about: { isDeliveredHidden: boolean; isLinkedHidden: boolean; threshold: number },
  { chanceOfDifference }: RawQuality,
): Check {
  const { compared, flagged, ...names } = line
  const mask = maskOf({ delivered: compared, linked: flagged }, about)
  const nothing = { share: null, low: null, high: null, wrongAtMost: null }
  if (about.isDeliveredHidden) return { ...names, compared: null, flagged: null, mask, ...nothing }
  if (about.isLinkedHidden) return { ...names, compared, flagged: null, mask, ...nothing }
  const { sex, birthYear } = chanceOfDifference
  const chances: Partial<Record<CheckRule, number>> = {
    'sex-differs': sex,
    'birth-year-differs': birthYear,
  }
  const chance = chances[line.rule] ?? 0
  return {
    ...names,
    compared,
    flagged,
    mask,
    share: compared === 0 ? null : flagged / compared,
    ...wilsonInterval(flagged, compared),
    wrongAtMost: chance === 0 ? null : Math.min(compared, Math.round(flagged / chance)),
  }
}

/**
 * Small combinations are pooled, with the next larger ones until neither the pool itself nor, for any agency, its part of
 * the pool is small: how many persons each agency knows is told elsewhere.
 */
function pooledOverlap({ overlap, agencies, persons }: RawQuality, threshold: number): Overlap[] {
  const cells = [...overlap].sort((a, b) => b.persons - a.persons || compare(a, b))
  const known = [cells, ...agencies.map((name) => cells.filter((cell) => has(cell, name)))]
  const sums = known.map((sum) => sum.map((cell) => cells.indexOf(cell)))
  const pool = new Set(cells.flatMap((cell, at) => (isSmall(cell.persons, threshold) ? [at] : [])))
  const smallOnes = new Set(pool)
  const isTelling = (): boolean => {
    if (smallOnes.size === 0) return false
    const inside = [...pool].map((at) => cells[at]).filter((cell) => cell !== undefined)
    const total = sumOf(inside)
    const tells = agencies.some((name) => {
      const part = sumOf(inside.filter((cell) => has(cell, name)))
      return isSmall(part, threshold) || isSmall(total - part, threshold)
    })
    const determined = determinedCells(sums, pool).some((at) => smallOnes.has(at))
    return total < threshold || tells || determined
  }
  for (let at = cells.length - 1; at >= 0 && isTelling(); at -= 1) pool.add(at)
  const shown = cells.filter((_, at) => !pool.has(at))
  if (pool.size === 0) return shown
  const pooled = persons - sumOf(shown)
  return isSmall(pooled, threshold) ? [] : [...shown, { agencies: null, persons: pooled }]
}

function has(cell: { agencies: string[] }, name: string): boolean {
  return cell.agencies.includes(name)
}

function sumOf(cells: readonly { persons: number }[]): number {
  return cells.reduce((sum, cell) => sum + cell.persons, 0)
}

function compare(a: { agencies: string[] }, b: { agencies: string[] }): number {
  const [one, other] = [a.agencies.join(' '), b.agencies.join(' ')]
  return one < other ? -1 : Number(one > other)
}
