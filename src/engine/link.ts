/**
 * Links the serials of every delivery to persons around the spine. Tokens in, two kinds of file out: the list of persons,
 * and for each delivery the place of every serial in that list. Neither holds a token.
 *
 * The same tokens, rules and person key give the same bytes, whatever the order of deliveries, files and rows and the
 * number of threads: both files are sorted, and a person's number comes from tokens alone.
 */
import { join } from 'node:path'
import { Refusal } from '../core/errors.ts'
import { type LinkRules, type Outcome, rulesVersion } from '../core/passes.ts'
import type { OnColumn } from './column-function.ts'
import * as sql from './link-sql.ts'
import { quoteText, type Session } from './session.ts'
import { parquetOptions } from './take-table.ts'

/** The tokens of one delivery. */
export type LinkDelivery = {
  deliveryId: string
  agency: string
  isSpine: boolean
  /** The agency declares one serial a person. */
  isDuplicateFree: boolean
  keyTypes: readonly string[]
  /** Token Parquet files of `takeKeys`, at least one. */
  files: readonly string[]
}

/** Records of one agency by what came of them; serials is the sum of founded to unlinked. */
export type AgencyCounts = {
  serials: number
  withK1: number
  founded: number
  perfect: number
  match: number
  conflict: number
  quarantined: number
  unlinked: number
  /** Linked serials beyond the first of their person. */
  duplicates: number
}

export type LinkReport = {
  rulesVersion: string
  persons: number
  /** Numbers that stand for nobody. */
  hubs: number
  agencies: Record<string, AgencyCounts>
}

export type Linked = {
  /** Parquet: ordinal INTEGER from 0, person UUID; in order of both. */
  personsFile: string
  persons: number
  /** Delivery → Parquet: serial VARCHAR, ordinal INTEGER (NULL: not linked), sorted by serial; every serial is there. */
  maps: Record<string, { file: string; serials: number; linked: number }>
  report: LinkReport
}

/**
 * Runs a linkage.
 *
 * @param personsOf - founding tokens (n × 16 bytes) → person numbers (n × 16 bytes).
 * @throws {Refusal} `state-conflict` without exactly one agency as the spine; `input-malformed` when a serial is in two
 *   parts of a delivery.
 */
export async function linkPersons(
  session: Session,
  linkage: {
    deliveries: readonly LinkDelivery[]
    rules: LinkRules
    personsOf: OnColumn
    outDir: string
  },
): Promise<Linked> {
  const { outDir, rules } = linkage
  const deliveries = linkage.deliveries.filter(({ files }) => files.length > 0)
  const agencies = [...new Set(deliveries.map(({ agency }) => agency))]
  requireOneSpine(deliveries)
  session.registerColumnFunction('person_of', 16, linkage.personsOf)
  const tokenFiles = deliveries.map((delivery) => ({
    ...delivery,
    agency: agencies.indexOf(delivery.agency),
  }))
  await session.run(sql.tokenView(tokenFiles))
  for (const step of sql.hubSteps(rules)) await session.run(step)
  for (const step of [sql.spineStep, sql.suspectStep, sql.personStep, sql.settledStep]) {
    await session.run(step)
  }
  const persons = await requirePersons(session)
  const personsFile = join(outDir, 'persons.parquet')
  await session.run(`copy (select ordinal, person from person order by ordinal)
    to ${quoteText(personsFile)} (${parquetOptions})`)
  const [hubs] = await session.rows<{ count: number }>('select count(*) as count from hub')
  const maps: Linked['maps'] = {}
  const report = { rulesVersion, persons, hubs: hubs?.count ?? 0, agencies: zeroes(agencies) }
  for (const [number, { deliveryId, agency }] of deliveries.entries()) {
    const file = join(outDir, `map-${number}.parquet`)
    const counts = await linkDelivery(session, {
      number,
      agency,
      agencyNumber: agencies.indexOf(agency),
      file,
    })
    maps[deliveryId] = { file, serials: counts.serials, linked: counts.linked }
    addTo(report.agencies[agency], counts)
  }
  return { personsFile, persons, maps, report }
}

function requireOneSpine(deliveries: readonly LinkDelivery[]): void {
  const spines = new Set(deliveries.filter(({ isSpine }) => isSpine).map(({ agency }) => agency))
  if (spines.size === 1) return
  throw new Refusal('state-conflict', 'A linkage needs the delivery of exactly one spine.', {
    spines: spines.size,
  })
}

/** Two persons with one number would be one person: a broken invariant, never a result. */
async function requirePersons(session: Session): Promise<number> {
  const [found] = await session.rows<{ rows: number; numbers: number }>(
    'select count(*) as rows, count(distinct person) as numbers from person',
  )
  if (!found || found.numbers !== found.rows) throw new Error('two persons share a number')
  return found.rows
}

type DeliveryCounts = AgencyCounts & { linked: number }
type Delivered = { number: number; agency: string; agencyNumber: number; file: string }

async function linkDelivery(
  session: Session,
  { number, agency, agencyNumber, file }: Delivered,
): Promise<DeliveryCounts> {
  await session.run(sql.linkedStep(number))
  const counts = await countsOf(session, agencyNumber)
  if (counts.distinctSerials !== counts.serials && (await repeatedSerials(session)) > 0) {
    throw new Refusal('input-malformed', 'A serial is in two key parts of a delivery.', {
      agency,
      serials: counts.serials - counts.distinctSerials,
    })
  }
  await session.run(`copy (select serial, ordinal from linked order by serial)
    to ${quoteText(file)} (${parquetOptions})`)
  await session.run('drop table linked')
  return counts
}

async function repeatedSerials(session: Session): Promise<number> {
  const [repeated] = await session.rows<{ serials: number }>(
    'select count(*) - count(distinct serial) as serials from linked',
  )
  return repeated?.serials ?? 0
}

async function countsOf(
  session: Session,
  agency: number,
): Promise<DeliveryCounts & { distinctSerials: number }> {
  const rows = await session.rows<{
    outcome: Outcome
    serials: number
    with_k1: number
    linked: number
  }>(`
    select outcome, count(*) as serials, count(*) filter (has_k1) as with_k1, count(ordinal) as linked
    from linked
    group by outcome`)
  const sumOf = (column: 'serials' | 'with_k1' | 'linked', outcome?: Outcome): number =>
    rows.reduce(
      (sum, row) => sum + (outcome === undefined || row.outcome === outcome ? row[column] : 0),
      0,
    )
  const [distinct] = await session.rows<{ serials: number; duplicates: number }>(
    sql.distinctCounts,
    [agency],
  )
  return {
    serials: sumOf('serials'),
    distinctSerials: distinct?.serials ?? 0,
    linked: sumOf('linked'),
    withK1: sumOf('with_k1'),
    founded: sumOf('serials', 'founded'),
    perfect: sumOf('serials', 'perfect'),
    match: sumOf('serials', 'match'),
    conflict: sumOf('serials', 'conflict'),
    quarantined: sumOf('serials', 'quarantined'),
    unlinked: sumOf('serials', 'none'),
    duplicates: distinct?.duplicates ?? 0,
  }
}

function zeroes(agencies: readonly string[]): Record<string, AgencyCounts> {
  return Object.fromEntries(
    agencies.map((agency) => [
      agency,
      {
        serials: 0,
        withK1: 0,
        founded: 0,
        perfect: 0,
        match: 0,
        conflict: 0,
        quarantined: 0,
        unlinked: 0,
        duplicates: 0,
      },
    ]),
  )
}

function addTo(sum: AgencyCounts | undefined, counts: AgencyCounts): void {
  if (!sum) throw new Error('an agency without counts')
  for (const name of Object.keys(sum) as (keyof AgencyCounts)[]) sum[name] += counts[name]
}
