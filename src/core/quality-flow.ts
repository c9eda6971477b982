/** The key side's part of the quality report, from what is told of its counts. */
import type { LinkageReport } from './linkage-report.ts'
import type { Change, Flow, QualityReport, WaveFlow } from './quality-report.ts'
import { hiddenCells, isSmall } from './small-cells.ts'
import type { ToldFlow } from './told-flow.ts'

type Told = Pick<LinkageReport, 'agencies' | 'deliveries'>

/**
 * What became of the records of every agency, the spine first.
 *
 * @param setAside - keys that stood for no identifier, as they were counted.
 */
export function flowOf(
  { agencies, threshold }: Told & { threshold: number },
  spine: string | undefined,
  setAside: readonly { agency: string; keyType: string; keys: number }[],
): Flow[] {
  return Object.entries(agencies)
    .map(([agency, told]) => ({
      agency,
      isSpine: agency === spine,
      ...countsOf(told),
      withKey: told.withKey,
      setAside: Object.fromEntries(
        setAside
          .filter((each) => each.agency === agency)
          .map(({ keyType, keys }) => [keyType, toldSetAside(told, keyType, keys, threshold)]),
      ),
    }))
    .sort(bySpineAndName)
}

/** Valid, empty and set aside are all keys: none of them is to be small, nor what two of them leave. */
function toldSetAside(
  { serials, withKey }: Told['agencies'][string],
  keyType: string,
  keys: number,
  threshold: number,
): number | null {
  const valid = withKey[keyType] ?? 0
  const parts = serials === null ? [keys] : [keys, serials - keys, serials - keys - valid]
  return parts.some((part) => isSmall(part, threshold)) ? null : keys
}

/** The same wave by wave. */
export function wavesOf({ deliveries }: Told, spine: string | undefined): WaveFlow[] {
  return deliveries
    .map(({ agency, wave, ...told }) => ({
      agency,
      isSpine: agency === spine,
      wave,
      ...countsOf(told),
    }))
    .sort((a, b) => bySpineAndName(a, b) || a.wave - b.wave)
}

/** What changed, and how far the link rates drifted. */
export function changeOf(
  { agencies, change }: LinkageReport,
  before: { linkage: string; told: LinkageReport | null } | undefined,
): Change {
  const { version: _, ...counts } = change
  const rates = Object.entries(agencies).map(([agency, { rate: now }]) => {
    const then = before?.told?.agencies[agency]?.rate ?? null
    const drift = now && then ? Math.round((now.share - then.share) * 10_000) / 10_000 : null
    return { agency, before: then, now, drift }
  })
  return { previous: before?.linkage ?? null, ...counts, rates }
}

/** The rows of each table by whether their person is in the cohort; small counts hidden, with what would give them away. */
export function toldTables(
  tables: readonly { table: string; kept: number; outside: number; unknown: number }[],
  threshold: number,
): QualityReport['tables'] {
  return tables.map(({ table, kept, outside, unknown }) => {
    const cells = [kept, outside, unknown]
    const rows = kept + outside + unknown
    const sums = isSmall(rows, threshold) ? [] : [[0, 1, 2]]
    const hidden = hiddenCells({ quantities: [cells], sums }, threshold)
    const tell = (cell: number): number | null => (hidden.has(cell) ? null : (cells[cell] ?? 0))
    const told = { kept: tell(0), outside: tell(1), unknown: tell(2) }
    return { table, rows: sums.length === 0 ? null : rows, ...told }
  })
}

function countsOf(told: ToldFlow): Omit<WaveFlow, 'agency' | 'isSpine' | 'wave'> {
  const { serials, valid, linked, linkedByPass, unlinked, sensitivity, duplicates } = told
  const distinct = linked === null || duplicates === null ? null : linked - duplicates
  return {
    delivered: serials,
    valid,
    linked,
    distinct,
    linkedByPass,
    unlinked,
    sensitivity,
    duplicates,
  }
}

function bySpineAndName(a: Pick<Flow, 'agency' | 'isSpine'>, b: typeof a): number {
  const byName = a.agency < b.agency ? -1 : Number(a.agency > b.agency)
  return Number(b.isSpine) - Number(a.isSpine) || byName
}
